"""What Ray Tune, Optuna and the driver add to a trial, on a Ray that is warm.

python benchmarks/overhead.py OUT [--trials 16]
"""

import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import scaled
import tyro

from datagen import generate
from sweep.cluster import training_data
from sweep.cluster.pool import Pool
from sweep.config import SweepConfig
from sweep.results import points
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.results.points import PointTable
from sweep.stages.store import Store
from sweep.stages.strategies import CONDITIONAL
from sweep.tracking.display import Display
from sweep.tracking.recorder import Recorder
from sweep.tracking.tracker import Tracker
from sweep.trials import trial
from sweep.trials.target import Target


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Measures the same points of an untrained conditioned codec in this process, and as a sweep with one worker."""

    out: tyro.conf.Positional[Path]
    """Folder for the run."""
    trials: int = 16
    """Points."""


class Clock(Recorder):
    """Writes table and MLflow as a sweep does, and notes when."""

    def finished(self, point: Point) -> None:
        """A point has come."""
        super().finished(point)
        times.append(time.perf_counter())


times: list[float] = []


def main() -> None:
    """Prints seconds a point by itself, in a sweep, and the difference."""
    arguments = tyro.cli(Arguments)
    config = scaled.config(0.0, data=scaled.data(), budget=arguments.trials, report_seconds=1.0)
    run = scaled.started(arguments.out, config)
    with generate.ray_session(1):
        generate.ensure(config.data, run.data)
        _sweep(run, arguments.trials)
    rows = points.read(run.path).filter(kind="tfic")
    # A little beside them, so that they are folded again.
    targets = [Target("tfic", lam, 1.001 * beta) for lam, beta in rows.select("lambda", "beta").iter_rows()]
    alone = statistics.median(_alone(run, config, targets))
    together = statistics.median(after - before for before, after in pairwise(times))
    print(f"{together:.2f} s a trial in a sweep, {alone:.2f} by itself: {together - alone:.2f} s more")


def _sweep(run: RunFolder, trials: int) -> None:
    table, display = PointTable(run.path), Display(run.config)
    recorder = Clock(table, Tracker(run.tracking_uri, run.sweep_id, run.path, {}), display)
    pool = Pool(run.config, run.path, run.data, recorder)
    for node in CONDITIONAL.shared_nodes(run.config):
        pool.train(node, lambda progress, places: None)
    pool.search(trials)


def _alone(run: RunFolder, config: SweepConfig, targets: list[Target]) -> list[float]:
    data = training_data.data(config, run.data, run.path)
    found = []
    for target in targets:
        started = time.perf_counter()
        trial.run(target, config, Store.of(run.path), data, lambda progress: None)
        found.append(time.perf_counter() - started)
    return found[1:]


if __name__ == "__main__":
    main()
