"""Points in parallel, as trials of Ray Tune."""

# Ray leaves functions of its interface partly untyped.
# pyright: reportUnknownMemberType=false

import functools
import logging
import math
import os
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, cast

os.environ |= {
    # Ctrl-C reaches our own code, which has saved everything by then.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # The display is ours too.
    "RAY_AIR_NEW_OUTPUT": "0",
}

import ray
import torch
from ray import tune
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from datagen.generate import Report
from datagen.machines import Resources, cores, machines, shared_out
from sweep import graceful_stop
from sweep.cluster import baselines, pace, resources, training_data
from sweep.cluster.place import Place
from sweep.cluster.trainer import train_together
from sweep.cluster.tune_adapters import (
    IN_A_ROW,
    INTERRUPTED,
    MESSAGE,
    Failures,
    FrontStoppingScheduler,
    Message,
    Observer,
    Relay,
    TuneSearch,
    target_of,
)
from sweep.config import SweepConfig, override
from sweep.errors import Interrupted, SweepError
from sweep.results.point import Point
from sweep.search import proposals, study
from sweep.search.front_search import FrontSearch
from sweep.stages import strategies
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.stages.work import Pace
from sweep.training.loop import Progress, every
from sweep.trials import rereading, trial
from sweep.trials.target import Target
from sweep.trials.trial import Data

logger = logging.getLogger(__name__)

REPORTS = 10.0
"""Reports of training that the driver hears each second, at most, of all trials together."""


class Pool:
    """Runs the points of one sweep on the connected Ray cluster."""

    def __init__(
        self,
        config: SweepConfig,
        folder: Path,
        data_folder: Path,
        observer: Observer,
        report: Report = lambda done, total: None,
        say: Callable[[str], None] = logger.warning,
    ) -> None:
        """Loads the data once; each node of the cluster keeps one copy in shared memory.

        Args:
            report: told how far the training images are read as they are.
            say: told what of the cluster is waited for.

        Raises:
            SweepError: not one of them can be read.
        """
        self._wanted = config
        trials = config
        if not strategies.of(config).trials_train(config):
            # Measuring runs on the CPU, image by image.
            trials = override(config, gpus_per_trial=0.0, cpus_per_trial=1)
        found = resources.awaited(say)
        with resources.watched({"GPU": 1.0}, say):
            trials = resources.sharing(trials, found, say)
        self._config, _ = resources.fit(trials, resources.awaited(say, trials.resources.gpus_per_trial > 0))
        self._say = say
        # Workers run in folders of their own.
        self._folder = folder.absolute()
        self._place = Place.of(self._folder)
        self._data_folder = data_folder
        self._observer = observer
        self._failures = Failures(functools.partial(graceful_stop.request_stop, self._folder))
        self._data = ray.put(training_data.data(self._config, data_folder, folder, report))

    @property
    def gpus(self) -> int:
        """GPUs of the cluster, those that its autoscaler may still start included."""
        return sum(machine["GPU"] for machine in machines())

    @property
    def _places(self) -> int:
        """Trials at a time."""
        return resources.fit(self._config, resources.awaited(self._say, self._config.resources.gpus_per_trial > 0))[1]

    def pace(self, readers: list[str], seconds: float) -> Pace:
        """How long the parts of the sweep take here.

        Args:
            readers: names of the held-out readers.
            seconds: time in which steps of each stage are measured.

        Raises:
            SweepError: nothing could be measured, for training fails.
        """
        cluster = pace.Cluster(self._config, self._places, self._team, self._place, self._data)
        with resources.watched(_needs(self._config), self._say):
            return pace.measured(cluster, readers, seconds)

    def resize(self, config: SweepConfig) -> None:
        """Goes on with the steps and the budget of another configuration."""
        sizes = {"stage1": config.stage1, "stage2": config.stage2, "budget": config.search.budget}
        self._wanted, self._config = override(self._wanted, **sizes), override(self._config, **sizes)

    def _team(self, node: Node) -> tuple[SweepConfig, int]:
        """What each worker of a node's shared training takes, and how many work."""
        found = resources.awaited(self._say, self._wanted.resources.gpus_per_trial > 0)
        return resources.team(self._wanted, found, node.stage.batch_size)

    def train(self, node: Node, report: Callable[[Progress, int], None]) -> None:
        """Trains a node that all points share, with all that the cluster has.

        Args:
            report: told how it goes, and how many trials' places that takes.

        Raises:
            SweepError: the training diverged, or failed once too often.
        """
        member, size = self._team(node)

        def told(progress: Progress) -> None:
            cores = progress.workers * member.resources.cpus_per_trial
            report(progress, max(1, cores // self._config.resources.cpus_per_trial))

        with resources.watched(_needs(member), self._say):
            train_together(node, member, self._place, self._data, size, told)

    def measure(self, targets: list[Target]) -> None:
        """Trains and measures the given points, in order, as many at a time as there are cores or GPUs.

        Raises:
            SweepError: several in a row failed for one cause; those under way have saved their states.
        """
        if targets:
            self._fit({"target": tune.grid_search(targets)}, None, 1, self._places)

    def baselines(self, report: Report) -> list[Point]:
        """Points of what needs no training; what an earlier sweep on the data has read is taken over.

        Args:
            report: told how far the images are read.

        Raises:
            SweepError: a worker failed.
        """
        check = functools.partial(graceful_stop.raise_if_stopped, self._folder)
        place = self._data_folder if os.access(self._data_folder, os.W_OK) else self._folder
        return baselines.measured(self._config, place, self._data_folder, self._data, report, check)

    def search(
        self,
        trials: int,
        recorded: Iterable[Point] = (),
        deadline: float = math.inf,
        took: Iterable[float] = (),
        ahead: Collection[Target] = (),
        measured: Callable[[], None] = lambda: None,
    ) -> None:
        """Lets Optuna choose `trials` points of stage 2 beside those recorded, then trains and measures them.

        None starts that would end after `deadline`, of the monotonic clock; `took` are the seconds of earlier ones.

        Args:
            ahead: points that come first, and that no trial has to wait for.
            measured: called when the last of them has ended.

        Raises:
            SweepError: as `measure`.
        """
        if trials > 0:
            stop_file = graceful_stop.stop_file(self._folder)

            def too_late(seconds: float) -> bool:
                return time.monotonic() + seconds > deadline or stop_file.exists()

            search = FrontSearch(self._config, study.journal(self._folder / "tune"), recorded, too_late, took=took)
            scheduler = FrontStoppingScheduler(self._config, search.rungs())
            adapter = TuneSearch(search, ahead, measured)
            self._fit(None, adapter, len(ahead) + trials, self.searching(trials), scheduler)

    def searching(self, trials: int) -> int:
        """How many trials of a search run at a time."""
        return proposals.at_a_time(self._config, trials, self._places)

    def reread(self, points: list[Point], readers: list[str]) -> None:
        """Has the points read by held-out readers, as many at a time as there are workers.

        A point that has lost its checkpoint, or takes too much memory, is left out with a line.
        """
        read = ray.remote(num_cpus=self._config.resources.cpus_per_trial)(_reread)

        def start(point: Point) -> ray.ObjectRef[dict[str, float]]:
            return read.remote(point, readers, self._config, self._place, self._data)

        for point, task in shared_out(start, points, lambda: max(1, cores() // self._config.resources.cpus_per_trial)):
            try:
                self._observer.reread(point, resources.results(task))
            except SweepError as error:
                logger.warning("%s is not read: %s", point.point_id, error)

    def _fit(
        self,
        space: dict[str, Any] | None,
        search: Searcher | None,
        samples: int,
        at_a_time: int,
        scheduler: TrialScheduler | None = None,
    ) -> None:
        function = cast(
            "Callable[[dict[str, Any]], None]",
            tune.with_parameters(_run, config=reporting(self._config, at_a_time), place=self._place, data=[self._data]),
        )
        needs = {"cpu": self._config.resources.cpus_per_trial, "gpu": self._config.resources.gpus_per_trial}
        tuner = tune.Tuner(
            tune.with_resources(function, needs),
            param_space=space,
            tune_config=tune.TuneConfig(
                search_alg=search,
                scheduler=scheduler,
                num_samples=samples,
                max_concurrent_trials=at_a_time,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=time.strftime("%Y%m%d-%H%M%S"),
                storage_path=str(self._folder / "tune"),
                callbacks=[Relay(self._config, self._observer, Store.of(self._folder), self._failures)],
                failure_config=tune.FailureConfig(max_failures=2),
                verbose=0,
            ),
        )
        with resources.watched(_needs(self._config), self._say):
            tuner.fit()
        if cause := self._failures.cause:
            raise SweepError(f"{IN_A_ROW} points in a row failed, all so: {cause}; --resume tries them again")


def reporting(config: SweepConfig, at_a_time: int) -> SweepConfig:
    """The configuration with reports so seldom that the driver hears no more of them than it can pass on."""
    return override(config, report_seconds=max(config.resources.report_seconds, at_a_time / REPORTS))


def _needs(config: SweepConfig) -> Resources:
    return {"CPU": config.resources.cpus_per_trial, "GPU": config.resources.gpus_per_trial}


def _reread(point: Point, readers: list[str], config: SweepConfig, place: Place, data: Data) -> dict[str, float]:
    torch.set_num_threads(config.resources.cpus_per_trial)
    return rereading.read(point, readers, place.store(config.resources.save_seconds), data.test)


def _run(params: dict[str, Any], *, config: SweepConfig, place: Place, data: list[ray.ObjectRef[Data]]) -> None:
    """What a Tune trial executes in its worker."""
    reporter = every(config.resources.report_seconds, _tell)
    try:
        if place.stop_requested():
            raise Interrupted
        store = place.store(config.resources.save_seconds)
        _tell(trial.run(target_of(params, config), config, store, ray.get(data[0]), reporter, _tell))
    except Interrupted:
        _tell(INTERRUPTED)


def _tell(message: Message) -> None:
    tune.report({MESSAGE: message})
