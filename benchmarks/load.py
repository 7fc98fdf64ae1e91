"""What a point asks of a sweep's driver, its store and MLflow, and how many workers that bears.

python benchmarks/load.py OUT [--points 256] [--tune] [--smoke]
"""

import io
import json
import pickle
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import scaled
import torch
import tyro
from ray import tune
from rich.console import Console

from datagen import generate
from models.codecs import registry as codecs
from models.codecs.conditioning import ConditionedCodec
from sweep import launch, presets
from sweep.cluster import trainer
from sweep.cluster.tune_adapters import Relay
from sweep.config import SweepConfig, override
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives
from sweep.results.point import Point, RatePoint, Reading, ValidationMetrics
from sweep.results.points import PointTable
from sweep.search import proposals, study
from sweep.search.front_search import FrontSearch
from sweep.simulation.formula import measured
from sweep.stages import tree
from sweep.tracking import mlflow_content, mlflow_runs
from sweep.tracking.display import Display
from sweep.tracking.outbox import Outbox
from sweep.tracking.recorder import Recorder
from sweep.tracking.tracker import Tracker
from sweep.trials.target import Target

TEST_IMAGES = 600
POINT_SECONDS = 9.5
"""Measuring a point on one core, as the simulator has it: a worker's shortest trial."""
BLOCK = 64
"""Points over which a mean is taken."""

FEW_MANY = (4, 36)
"""Trials that do nothing."""

counts: Counter[str] = Counter()
sums: defaultdict[str, float] = defaultdict(float)


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Has a real search, table of points and MLflow in SQLite take made-up points as fast as they can."""

    out: tyro.conf.Positional[Path]
    """Folder for what is written."""
    points: int = 256
    """Made-up points."""
    sampler: str = "tpe"
    tune: bool = False
    """Has Ray Tune run trials that do nothing as well, and tells what each costs the driver."""
    smoke: bool = False
    """Runs a sweep of the preset smoke as well, and counts the messages of its workers."""


def main() -> None:
    """Prints seconds of processor time, bytes and requests, by point."""
    arguments = tyro.cli(Arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    _instrument()
    if arguments.smoke:
        _sweep(arguments.out / "smoke")
    if arguments.tune:
        _tune(arguments.out / "tune")
    _checkpoints(arguments.out)
    _feed(arguments.out / "fed", override(presets.cpu(), budget=arguments.points, sampler=arguments.sampler))


def _instrument() -> None:
    """Counts from now on what the driver is told, and what it says to MLflow."""
    for module in (mlflow_content, mlflow_runs):
        _patch(module, "asked", "requests", lambda given: 0)
    _patch(mlflow_runs.Runs, "write", "entries", lambda given: len(json.dumps(asdict(given[1]))))
    _patch(Relay, "on_trial_result", "results", lambda given: len(pickle.dumps(given[4])))
    _patch(trainer, "_heed", "news", lambda given: len(pickle.dumps(given[0])))
    _patch(Recorder, "finished", "record", lambda given: 0)
    _patch(FrontSearch, "suggest", "suggest", lambda given: 0)
    _patch(Outbox, "put", "put", lambda given: 0)


def _patch(owner: Any, method: str, name: str, size: Callable[[tuple[Any, ...]], int]) -> None:
    """Notes how often a function is called, its processor time in that thread, and the size of what it is given."""
    inner = getattr(owner, method)

    def noted(*given: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return inner(*given, **named)
        finally:
            sums[f"{name} seconds"] += time.thread_time() - began
            counts[name] += 1
            sums[f"{name} bytes"] += size(given)

    setattr(owner, method, noted)


def _sweep(folder: Path) -> None:
    run = scaled.started(folder, presets.smoke())
    launch.sweep(run)
    done = PointTable(folder).frame.height
    print(f"a smoke sweep of {done} points, its images drawn before")
    for name in ("results", "news", "entries", "requests"):
        print(f"  {name}: {counts[name]}, {sums[f'{name} bytes'] / 1e3:.1f} kB; {counts[name] / done:.1f} a point")
    files = [file for file in folder.rglob("*") if file.is_file()]
    for kind in ("checkpoints", "tune"):
        found = [file for file in files if kind in file.parts]
        print(f"  {kind}: {len(found)} files, {sum(file.stat().st_size for file in found) / 1e6:.1f} MB")
    counts.clear()
    sums.clear()


def _tune(folder: Path) -> None:
    """Of a few trials and of many, so that what Ray takes to start is not counted."""
    message = _made_up(random.Random(0), Objectives(0.1, 0.8))

    def nothing(params: dict[str, Any]) -> None:
        del params
        tune.report({"message": message})

    taken = dict[int, float]()
    with generate.ray_session(1):
        for trials in FEW_MANY:
            began = time.process_time()
            tune.Tuner(
                tune.with_resources(nothing, {"cpu": 1}),
                tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=1, reuse_actors=True),
                run_config=tune.RunConfig(storage_path=str(folder.absolute()), verbose=0),
            ).fit()
            taken[trials] = time.process_time() - began
    few, many = FEW_MANY
    each = 1e3 * (taken[many] - taken[few]) / (many - few)
    print(f"Ray Tune: {each:.0f} ms of the driver's processor time a trial, {len(pickle.dumps(message)) / 1e3:.0f} kB")


def _checkpoints(folder: Path) -> None:
    for name in ("small", "mbt2018-mean"):
        plain = codecs.build(name)
        for title, codec in (("a point's", plain), ("all points'", ConditionedCodec(plain, tree.plane(presets.cpu())))):
            file = folder / "checkpoint.pt"
            torch.save(codec.state_dict(), file)
            print(f"{name}, {title} weights: {file.stat().st_size / 1e6:.1f} MB")


def _feed(folder: Path, config: SweepConfig) -> None:
    run = scaled.started(folder, config)
    console = Console(file=io.StringIO())
    tracker = Tracker(run.tracking_uri, run.sweep_id, run.path, {}, console.print)
    recorder = Recorder(PointTable(folder), tracker, Display(config, console))
    search, draw = FrontSearch(config, study.journal(folder / "tune")), random.Random(0)
    for number in range(1, config.search.budget + 1):
        point = _point(search, str(number), run, draw)
        recorder.finished(point)
        assert point.val is not None, "it is complete"
        search.complete(str(number), point.val)
        if number % BLOCK == 0:
            _print(number)
    tracker.settle(600.0)
    sizes = {name: (folder / name).stat().st_size / 1e3 for name in ("readings.parquet", "points.parquet")}
    print(", ".join(f"{name} {size:.0f} kB" for name, size in sizes.items()))


def _point(search: FrontSearch, name: str, run: RunFolder, draw: random.Random) -> Point:
    """A trial as it comes back from a worker."""
    proposed = search.suggest(name)
    assert proposed is not None, "the budget lasts"
    target = Target("tfic", *proposals.weights(proposed, run.config))
    node = target.node(run.config)
    assert node is not None, "a trial has one"
    reached = measured(node, node.stage.steps, draw)
    test = _made_up(draw, reached)
    val = ValidationMetrics(*reached, reached.bpp, 20.0)
    identity = target.identity(run.config)
    return Point(
        identity=identity, status="complete", test=test, val=val, train_seconds=3.0, checkpoint=f"checkpoints/{name}.pt"
    )


def _made_up(draw: random.Random, reached: Objectives) -> RatePoint:
    """Figures and readings of a point."""
    words = ["".join(draw.choices("abcdefgh", k=8)) for _ in range(TEST_IMAGES)]
    readings = tuple(
        Reading(index, draw.randrange(60, 200), word, word, draw.random(), 3, draw.random())
        for index, word in enumerate(words)
    )
    same = (reached.bpp, reached.bpp, reached.bpp)
    return RatePoint(*reached, 0.3, 9.0, 1.0, *same, 20.0, 3.0, 0.1, 3.0, readings=readings)


def _print(number: int) -> None:
    """Means of the last points; MLflow's thread may be behind, so that its are of the entries that it has written."""
    points, entries = counts["record"], max(1, counts["entries"])
    suggest, record = (1e3 * sums[f"{name} seconds"] / points for name in ("suggest", "record"))
    print(f"{number} points: search {suggest:.1f} ms and tables {record:.1f} ms a point, {_bears(suggest + record)}")
    each, size, requests = (
        sums["entries seconds"] / entries,
        sums["entries bytes"] / entries,
        counts["requests"] / entries,
    )
    many = counts["put"] / points
    print(f"  MLflow: {many:.1f} entries a point, each {size / 1e3:.1f} kB in {requests:.1f} requests", end=", ")
    print(f"{1e3 * each:.1f} ms; {_bears(1e3 * many * each)}", flush=True)
    counts.clear()
    sums.clear()


def _bears(milliseconds: float) -> str:
    return f"at most {1e3 * POINT_SECONDS / milliseconds:.0f} workers"


if __name__ == "__main__":
    main()
