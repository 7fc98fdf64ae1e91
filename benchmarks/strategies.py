"""What a front costs: each strategy, and plain Ray Tune, by the hypervolume that its core-seconds of training buy.

python benchmarks/strategies.py OUT [--seeds 3] [--scale 0.5]
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import plain
import polars as pl
import scaled
import tyro
from cases import CASES
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mlflow import MlflowClient

from datagen import generate
from sweep import launch
from sweep.config import SweepConfig
from sweep.results import points
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives, hypervolume
from sweep.simulation.formula import Workload
from sweep.simulation.simulation import Simulation
from sweep.stages.store import SHARED
from sweep.tracking.mlflow_runs import PARENT, POINT_TAG, SWEEP_TAG
from sweep.tracking.mlflow_store import EXPERIMENT

SHARED_SECONDS = "shared_seconds.json"
"""Stands in the folder of a finished run."""
WORKERS = 2
"""Of the simulated sweeps; their hypervolume hardly depends on it."""
REFERENCE = "independent"
"""What the others are compared with: the paper's recipe, all of the budget."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Runs small sweeps of cases and seeds, each on its share of the training, and compares all in the folder."""

    out: tyro.conf.Positional[Path]
    """Folder for the runs; finished ones are not run again."""
    seeds: int = 3
    """Runs of each case."""
    scale: float = 0.5
    """Training steps of the longest cases, as a share of 2,600 in stage 1 and 3,800 in stage 2."""
    budget: int = 16
    """Points a run."""
    cases: tuple[str, ...] = (
        *("brief", "half", "conditional", "preset", "polished"),
        *("shared", "continued", "independent", "plain"),
    )
    """brief, half: conditional, on a fifth and half of its training; preset: conditional, with the preset's alpha and
    range of beta; polished: conditional, a third of stage 2 at each point alone."""


class Result(NamedTuple):
    """One run."""

    case: str
    seed: int
    shared_seconds: dict[str, float]
    """Of training that all points share, in core-seconds, by the kind of points that it is for."""
    frame: pl.DataFrame
    """Points in the order in which they came, with the core-seconds of their own training."""
    simulated: float | None
    """The hypervolume that `sweep.simulate` would have foretold."""

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Core-seconds so far, and the hypervolume of the points until then."""
        rows = self.frame.filter(pl.col("kind").is_in(["base", "tfic"]), pl.col("train_seconds").is_not_null())
        ahead, seconds, found, curve = dict(self.shared_seconds), 0.0, [], []
        for row in rows.iter_rows(named=True):
            seconds += ahead.pop(row["kind"], 0.0) + row["train_seconds"]
            if row["bpp"] is not None:
                found.append(Objectives(row["bpp"], row["accuracy"]))
            curve.append((seconds, hypervolume(found)))
        return curve


def main() -> None:
    """Prints a line a run, then one a case, and draws OUT/strategies.png."""
    arguments = tyro.cli(Arguments)
    for seed in range(arguments.seeds):
        for case in arguments.cases:
            _run(case, seed, arguments)
    results = list(_finished(arguments.out))
    goals = {result.seed: result.curve[-1] for result in results if result.case == REFERENCE}
    print(f"case         seed  core-seconds  hypervolume  simulated  {REFERENCE}'s reached at, of its core-seconds")
    for result in results:
        seconds, volume = result.curve[-1]
        foretold = "-" if result.simulated is None else f"{result.simulated:.4f}"
        line = f"{result.case:11}  {result.seed:4}  {seconds:12.0f}  {volume:11.4f}  {foretold:>9}"
        print(f"{line}  {_reached(result, goals)}")
    for case, runs in groupby(results, key=attrgetter("case")):
        volumes = [result.curve[-1][1] for result in runs]
        print(f"{case:11}  mean of {len(volumes)}: {fmean(volumes):.4f}, {min(volumes):.4f} to {max(volumes):.4f}")
    _figure(results).savefig(arguments.out / "strategies.png")


def _finished(out: Path) -> Iterator[Result]:
    """By case, then seed."""
    for name in CASES:
        for file in sorted(out.glob(f"{name}-*/{SHARED_SECONDS}")):
            seed = int(file.parent.name.removeprefix(f"{name}-"))
            yield Result(name, seed, json.loads(file.read_text()), points.read(file.parent), _simulated(file.parent))


def _simulated(folder: Path) -> float | None:
    if not (folder / "config.json").exists():
        return None
    return hypervolume(Simulation(RunFolder.load(folder).config, WORKERS, Workload()).run().points)


def _reached(result: Result, goals: dict[int, tuple[float, float]]) -> str:
    if result.seed not in goals:
        return "-"
    whole, goal = goals[result.seed]
    first = next((seconds for seconds, volume in result.curve if volume >= goal), None)
    return "not reached" if first is None else f"{first:.0f} core-seconds, {first / whole:.3f}"


def _run(name: str, seed: int, arguments: Arguments) -> None:
    case, folder = CASES[name], arguments.out / f"{name}-{seed}"
    file = folder / SHARED_SECONDS
    if file.exists():
        return
    # What others have trained would cost this one nothing.
    shutil.rmtree(arguments.out / SHARED, ignore_errors=True)
    config = scaled.config(case.share * arguments.scale, data=scaled.data(), budget=arguments.budget, seed=seed)
    if case.configured is None:
        _plain(config, folder)
        file.write_text("{}")
        return
    # Not one to go on with: its effort would be that of the rest alone.
    run = scaled.started(folder, case.configured(config))
    effort = launch.sweep(run)
    own = sum(points.read(folder)["train_seconds"].drop_nulls().to_list())
    file.write_text(json.dumps(_shared_out(effort.train_seconds - own, run)))


def _shared_out(seconds: float, run: RunFolder) -> dict[str, float]:
    """Core-seconds of both stages of the codec that all points share, by what MLflow has of them."""
    client = MlflowClient(run.tracking_uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None, "the sweep has logged to it"
    wanted = f"tags.`{SWEEP_TAG}` = '{run.sweep_id}' and tags.`{POINT_TAG}` = '{PARENT}'"
    [parent] = client.search_runs([experiment.experiment_id], wanted)
    clocks = {"base": "stage 1/seconds", "tfic": "stage 2/seconds"}
    taken = {kind: parent.data.metrics[name] for kind, name in clocks.items() if name in parent.data.metrics}
    return {kind: seconds * each / sum(taken.values()) for kind, each in taken.items()}


def _plain(config: SweepConfig, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with generate.ray_session():
        found = plain.sweep(config, folder.parent / "data" / config.data.digest())
    table = points.PointTable(folder)
    for point in found:
        table.add(point)


def _figure(results: list[Result]) -> Figure:
    figure = Figure(figsize=(7, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for result in results:
        _draw(result, axes)
    axes.set(xlabel="core-seconds of training", ylabel="hypervolume of the front", xscale="log")
    axes.grid(alpha=0.25, which="both")
    axes.legend(loc="lower right")
    return figure


def _draw(result: Result, axes: Axes) -> None:
    seconds, volumes = zip(*result.curve, strict=True)
    case = CASES[result.case]
    label = (case.label or result.case) if result.seed == 0 else None
    axes.step(seconds, volumes, where="post", color=case.color, alpha=0.8, label=label)
    axes.plot(seconds[-1], volumes[-1], "o", color=case.color, markersize=4)


if __name__ == "__main__":
    main()
