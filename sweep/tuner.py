"""Points in parallel on Ray; the only place that knows Ray Tune."""

import functools
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

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
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from datagen.generate import Report
from sweep import cluster, interruption, proposals, rereading, search, teaching, trial
from sweep.checkpoints import Store
from sweep.config import SweepConfig
from sweep.errors import Interrupted
from sweep.pareto import Objectives
from sweep.points import Row
from sweep.scheduler import FrontStopping
from sweep.search import INTERRUPTED, OBJECTIVES, FrontSearch
from sweep.stages import Node
from sweep.trainer import train_together
from sweep.training import Progress, every
from sweep.trial import Data, Target

NO_OBJECTIVES = dict.fromkeys(OBJECTIVES)
"""Tune wants every report to name them."""


@runtime_checkable
class Observer(Protocol):
    """Learns in the driver's process what becomes of each point."""

    def progressed(self, identity: Row, progress: Progress) -> None:
        """A point is being trained."""
        ...

    def finished(self, row: Row) -> None:
        """A point is measured, or has failed for a `reason`."""
        ...

    def reread(self, row: Row, accuracies: dict[str, float]) -> None:
        """Readers that are held out have read a point's reconstructions."""
        ...


class Pool:
    """Runs the points of one sweep on the connected Ray cluster."""

    def __init__(
        self,
        config: SweepConfig,
        folder: Path,
        data_folder: Path,
        observer: Observer,
        report: Report = lambda done, total: None,
    ) -> None:
        """Loads the data once; each node of the cluster keeps one copy in shared memory.

        Args:
            report: told how far the training images are read as they are.

        Raises:
            SweepError: not one of them can be read.
        """
        self._wanted = config
        # Measuring runs on the CPU, image by image.
        trials = config if config.trials_train else replace(config, gpus_per_trial=0.0, cpus_per_trial=1)
        self._config, self.concurrency = cluster.fit(trials, cluster.machines())
        # Workers run in folders of their own.
        self._folder = folder.absolute()
        self._observer = observer
        self._data = ray.put(teaching.data(self._config, data_folder, folder, report))

    @property
    def gpus(self) -> int:
        """In the cluster, those that its autoscaler may still start included."""
        return sum(machine["GPU"] for machine in cluster.machines())

    def train(self, node: Node, report: Callable[[Progress, int], None]) -> None:
        """Trains a node that all points share, with all that the cluster has.

        Args:
            report: told how it goes, and how many trials' places that takes.

        Raises:
            SweepError: the training diverged, or failed once too often.
        """
        member, size = cluster.team(self._wanted, cluster.machines(), node.stage.batch_size)

        def told(progress: Progress) -> None:
            cores = progress.workers * member.cpus_per_trial
            report(progress, max(1, cores // self._config.cpus_per_trial))

        train_together(node, member, self._folder, self._data, size, told)

    def measure(self, targets: list[Target]) -> None:
        """Trains and measures the given points, in order, as many at a time as there are cores or GPUs."""
        if targets:
            self._fit({"target": tune.grid_search(targets)}, None, 1, self.concurrency)

    def search(self, trials: int, recorded: Iterable[Row] = (), deadline: float = math.inf) -> None:
        """Lets Optuna choose `trials` points of stage 2 beside those recorded, then trains and measures them.

        None starts that would end after `deadline`, of the monotonic clock.
        """
        if trials > 0:
            too_late = functools.partial(_too_late, deadline, interruption.sign(self._folder))
            found = FrontSearch(self._config, search.journal(self._folder / "tune"), recorded, too_late)
            self._fit(None, found, trials, self.searching(trials), _Rungs(found.rungs()))

    def searching(self, trials: int) -> int:
        """How many trials of a search run at a time."""
        return proposals.at_a_time(self._config, trials, self.concurrency)

    def reread(self, rows: list[Row], readers: list[str]) -> None:
        """Has the points read by readers that are held out, as many at a time as there are workers."""
        read = ray.remote(num_cpus=self._config.cpus_per_trial)(_reread)
        waiting = {read.remote(row, readers, self._config, self._folder, self._data): row for row in rows}
        while waiting:
            [done], _ = ray.wait([*waiting], num_returns=1)
            self._observer.reread(waiting.pop(done), ray.get(done))

    def _fit(
        self,
        space: dict | None,
        search: Searcher | None,
        samples: int,
        at_a_time: int,
        scheduler: TrialScheduler | None = None,
    ) -> None:
        function = tune.with_parameters(_run, config=self._config, folder=self._folder, data=[self._data])
        resources = {"cpu": self._config.cpus_per_trial, "gpu": self._config.gpus_per_trial}
        tune.Tuner(
            tune.with_resources(function, resources),
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
                callbacks=[_Relay(self._config, self._observer, Store.of(self._folder))],
                failure_config=tune.FailureConfig(max_failures=2),
                verbose=0,
            ),
        ).fit()


class _Rungs(FIFOScheduler):
    """Stops trials that fall behind."""

    def __init__(self, before: Iterable[tuple[int, str, Objectives]]) -> None:
        super().__init__()
        self._stopping = FrontStopping()
        for rung, name, reached in before:
            self._stopping.passes(rung, name, reached)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict) -> str:
        if "rung" not in result:
            return self.CONTINUE
        reached = Objectives(*(result[name] for name in OBJECTIVES))
        return self.CONTINUE if self._stopping.passes(result["rung"], trial.trial_id, reached) else self.STOP


class _Relay(tune.Callback):
    """Passes Tune's events on as ours."""

    def __init__(self, config: SweepConfig, observer: Observer, store: Store) -> None:
        self._config = config
        self._observer = observer
        self._store = store

    def __getstate__(self) -> dict:
        """Nothing: Tune saves its callbacks, and ours belong to this process."""
        return {}

    def on_trial_result(self, iteration: int, trials: list[Trial], trial: Trial, result: dict, **info: Any) -> None:
        if "row" in result:
            if result["status"] == "failed":
                self._forget(trial)
            self._observer.finished(result["row"])
        elif "progress" in result:
            identity = _target(trial.config, self._config).identity(self._config)
            self._observer.progressed(identity, Progress(**result["progress"]))

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Of those that end by themselves all is known already."""
        last = trial.last_result
        if "rung" not in last:
            return
        self._forget(trial)
        target = _target(trial.config, self._config)
        seen = {name: last[name] for name in ("val_bpp", "val_accuracy", "val_psnr_db", "train_seconds")}
        reason = f"behind the front after {last['steps']} steps of stage 2"
        self._observer.finished(target.identity(self._config) | seen | {"status": "stopped", "reason": reason})

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._forget(trial)
        identity = _target(trial.config, self._config).identity(self._config)
        self._observer.finished(identity | {"status": "failed", "reason": _last_line(trial.error_file)})

    def _forget(self, trial: Trial) -> None:
        """Nobody goes on with what is half done of it."""
        if node := _target(trial.config, self._config).node(self._config):
            self._store.forget(node)


def _reread(row: Row, readers: list[str], config: SweepConfig, folder: Path, data: Data) -> dict[str, float]:
    torch.set_num_threads(config.cpus_per_trial)
    return rereading.read(row, readers, folder, data.test)


def _run(params: dict, *, config: SweepConfig, folder: Path, data: list[ray.ObjectRef]) -> None:
    """What a Tune trial executes in its worker."""
    reporter = every(config.report_seconds, _report_progress)
    try:
        if interruption.sign(folder).exists():
            raise Interrupted
        row = trial.run(_target(params, config), config, folder, ray.get(data[0]), reporter, _report_rung)
    except Interrupted:
        tune.report({"status": INTERRUPTED, **NO_OBJECTIVES})
        return
    objectives = {name: row.get(name) for name in (*OBJECTIVES, "val_psnr_db")}
    tune.report({"row": row, "status": row["status"], **objectives})


def _target(params: dict, config: SweepConfig) -> Target:
    if "target" in params:
        return params["target"]
    origins = tuple(map(tuple, params[search.ORIGINS]))
    return Target("tfic", *proposals.weights(params, config), origins=origins, varied=proposals.varied(params, config))


def _report_progress(progress: Progress) -> None:
    tune.report({"progress": progress._asdict(), **NO_OBJECTIVES})


def _report_rung(rung: trial.Rung) -> None:
    seen = rung.reached
    values = {"val_bpp": seen.bpp, "val_accuracy": seen.accuracy, "val_psnr_db": seen.psnr_db}
    tune.report({"rung": rung.number, "steps": rung.steps, "train_seconds": rung.train_seconds, **values})


def _too_late(deadline: float, sign: Path, seconds: float) -> bool:
    """A function of its own, for Ray Tune pickles its searcher."""
    return time.monotonic() + seconds > deadline or sign.exists()


def _last_line(path: str | None) -> str:
    lines = Path(path).read_text().strip().splitlines() if path else []
    return lines[-1] if lines else "the worker died"
