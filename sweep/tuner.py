"""Points in parallel on Ray; the only place that knows Ray Tune."""

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

os.environ |= {
    # Ctrl-C reaches our own code, which has saved everything by then.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # The display is ours too.
    "RAY_AIR_NEW_OUTPUT": "0",
}

import numpy as np
import ray
import torch
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from datagen import dataset
from datagen.dataset import TextImages
from datagen.generate import Report
from sweep import cluster, legibility, rereading, search, trial
from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.legibility import Reading
from sweep.points import Row
from sweep.search import OBJECTIVES, FrontSearch
from sweep.stages import Node
from sweep.trainer import train_together
from sweep.training import Progress, every
from sweep.trial import Data, Target

NO_OBJECTIVES = dict.fromkeys(OBJECTIVES)
"""Tune wants every report to name them."""
READ_TOGETHER = 250
"""Images that a task reads."""


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
        self._config, self.concurrency = cluster.fit(config, cluster.capacity())
        # Workers run in folders of their own.
        self._folder = folder.absolute()
        self._observer = observer
        train = self._taught(dataset.load(data_folder, "train"), data_folder, report)
        val, test = (self._completed(dataset.load(data_folder, split)) for split in ("val", "test"))
        steering = TextImages(val.images[: config.val_images], val.texts[: config.val_images])
        self._data = ray.put(Data(train, steering, test))

    def train(self, node: Node, report: Callable[[Progress], None]) -> None:
        """Trains a node that all points share, with all that the cluster has.

        Raises:
            SweepError: the training diverged, or failed once too often.
        """
        member, size = cluster.team(self._config, cluster.capacity(), cluster.cores(), node.stage.batch_size)
        train_together(node, member, self._folder, self._data, size, report)

    def measure(self, targets: list[Target]) -> None:
        """Trains and measures the given points, in order, as many at a time as there are cores or GPUs."""
        if targets:
            self._fit({"target": tune.grid_search(targets)}, None, 1)

    def search(self, trials: int, recorded: Iterable[Row] = (), deadline: float = math.inf) -> None:
        """Lets Optuna choose `trials` points of stage 2 beside those recorded, then trains and measures them.

        None starts that would end after `deadline`, of the monotonic clock.
        """
        if trials > 0:
            self._fit(None, FrontSearch(self._config, self._folder / "tune", recorded, deadline), trials)

    def reread(self, rows: list[Row], readers: list[str]) -> None:
        """Has the points read by readers that are held out, as many at a time as there are workers."""
        read = ray.remote(num_cpus=self._config.cpus_per_trial)(_reread)
        waiting = {read.remote(row, readers, self._config, self._folder, self._data): row for row in rows}
        while waiting:
            [done], _ = ray.wait([*waiting], num_returns=1)
            self._observer.reread(waiting.pop(done), ray.get(done))

    def _taught(self, train: TextImages, folder: Path, report: Report) -> TextImages:
        """The training images with the texts that are taught, and which of them can be read."""
        config, least = self._config, self._config.stage2.legibility
        pseudo = config.labels == "pseudo"
        if all(train.texts) and not pseudo and not least:
            return train
        found = legibility.readings(folder, config.recognizers[0], lambda: self._readings(train, report))
        texts = self._labels([""] * len(found) if pseudo else train.texts, found)
        legible = np.flatnonzero([pseudo or said.accuracy >= least for said in found])
        if not legible.size:
            raise SweepError(f"{config.recognizers[0].name} reads no training image; check their texts")
        return TextImages(train.images, texts, legible)

    def _completed(self, data: TextImages) -> TextImages:
        """The images, those without text with what the recognizer reads in them."""
        if all(data.texts):
            return data
        return TextImages(data.images, self._labels(data.texts, self._readings(data)))

    def _labels(self, texts: list[str], found: list[Reading]) -> list[str]:
        """The texts; where one is missing what was read, as far as all recognizers know its characters."""
        if all(texts):
            return texts
        known = trial.recognizer(self._config.recognizers).known
        return [text or known(said.text) for text, said in zip(texts, found, strict=True)]

    def _readings(self, data: TextImages, report: Report = lambda done, total: None) -> list[Reading]:
        """What the recognizer reads in the images, by as many tasks at a time as there are workers."""
        read = ray.remote(num_cpus=self._config.cpus_per_trial)(_read)
        starts = range(0, len(data.texts), READ_TOGETHER)
        parts = [slice(start, start + READ_TOGETHER) for start in starts]
        pieces = (TextImages(data.images[part], data.texts[part]) for part in parts)
        tasks = waiting = [read.remote(piece, self._config) for piece in pieces]
        while waiting:
            _, waiting = ray.wait(waiting)
            report(min(len(data.texts), READ_TOGETHER * (len(tasks) - len(waiting))), len(data.texts))
        return list(itertools.chain.from_iterable(ray.get(tasks)))

    def _fit(self, space: dict | None, search: Searcher | None, samples: int) -> None:
        function = tune.with_parameters(_run, config=self._config, folder=self._folder, data=[self._data])
        resources = {"cpu": self._config.cpus_per_trial, "gpu": self._config.gpus_per_trial}
        tune.Tuner(
            tune.with_resources(function, resources),
            param_space=space,
            tune_config=tune.TuneConfig(
                search_alg=search,
                num_samples=samples,
                max_concurrent_trials=self.concurrency,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=time.strftime("%Y%m%d-%H%M%S"),
                storage_path=str(self._folder / "tune"),
                callbacks=[_Relay(self._config, self._observer)],
                failure_config=tune.FailureConfig(max_failures=2),
                verbose=0,
            ),
        ).fit()


class _Relay(tune.Callback):
    """Passes Tune's events on as ours."""

    def __init__(self, config: SweepConfig, observer: Observer) -> None:
        self._config = config
        self._observer = observer

    def __getstate__(self) -> dict:
        """Nothing: Tune saves its callbacks, and ours belong to this process."""
        return {}

    def on_trial_result(self, iteration: int, trials: list[Trial], trial: Trial, result: dict, **info: Any) -> None:
        if "row" in result:
            self._observer.finished(result["row"])
        elif "progress" in result:
            identity = _target(trial.config, self._config).identity(self._config)
            self._observer.progressed(identity, Progress(**result["progress"]))

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        identity = _target(trial.config, self._config).identity(self._config)
        self._observer.finished(identity | {"status": "failed", "reason": _last_line(trial.error_file)})


def _read(data: TextImages, config: SweepConfig) -> list[Reading]:
    torch.set_num_threads(config.cpus_per_trial)
    return legibility.measure(data, trial.recognizer(config.recognizers))


def _reread(row: Row, readers: list[str], config: SweepConfig, folder: Path, data: Data) -> dict[str, float]:
    torch.set_num_threads(config.cpus_per_trial)
    return rereading.read(row, readers, folder, data.test)


def _run(params: dict, *, config: SweepConfig, folder: Path, data: list[ray.ObjectRef]) -> None:
    """What a Tune trial executes in its worker."""
    reporter = every(config.report_seconds, _report_progress)
    row = trial.run(_target(params, config), config, folder, ray.get(data[0]), reporter)
    objectives = {name: row.get(name) for name in (*OBJECTIVES, "val_psnr_db")}
    tune.report({"row": row, "status": row["status"], **objectives})


def _target(params: dict, config: SweepConfig) -> Target:
    if "target" in params:
        return params["target"]
    return Target("tfic", *search.weights(params, config))


def _report_progress(progress: Progress) -> None:
    tune.report({"progress": progress._asdict(), **NO_OBJECTIVES})


def _last_line(path: str | None) -> str:
    lines = Path(path).read_text().strip().splitlines() if path else []
    return lines[-1] if lines else "the worker died"
