"""One conditioned codec, with and without polish, against separate trainings, on as many images each.

python benchmarks/strategies.py OUT [--seeds 3] [--scale 0.05]
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl
import scaled
import tyro
from matplotlib.figure import Figure

from sweep import launch, points, presets
from sweep.config import SweepConfig
from sweep.figures import BASE, CLASSICAL, FRONT, TFIC
from sweep.pareto import Objectives, front, rate_at

COLORS = {"conditional": FRONT, "polished": BASE, "shared": TFIC}


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Runs small sweeps of every case and seed, and compares them."""

    out: tyro.conf.Positional[Path]
    """Folder for the runs; finished ones are not run again."""
    seeds: int = 3
    """Runs of each case."""
    scale: float = 0.05
    """Training steps, as a share of the cpu preset's."""
    budget: int = 16
    """Points a run."""


class Result(NamedTuple):
    """One run."""

    case: str
    seed: int
    core_seconds: float
    """Of training."""
    frame: pl.DataFrame


def main() -> None:
    """Prints a line a run and draws OUT/strategies.png."""
    arguments = tyro.cli(Arguments)
    results = [_run(case, seed, arguments) for seed in range(arguments.seeds) for case in CASES]
    print("case         seed  core-seconds  hypervolume    base  envelope  bpp at 0.9 U  bpp at U  best")
    for result in results:
        print(_line(result))
    _figure(results).savefig(arguments.out / "strategies.png")


def _run(case: str, seed: int, arguments: Arguments) -> Result:
    folder = arguments.out / f"{case}-{seed}"
    effort = folder / "core_seconds.txt"
    if not effort.exists():
        config = scaled.config(arguments.scale, data=scaled.data(), budget=arguments.budget, seed=seed)
        # Not one to go on with: its effort would be that of the rest alone.
        run = scaled.started(folder, CASES[case](config))
        effort.write_text(str(launch.sweep(run).train_seconds))
    return Result(case, seed, float(effort.read_text()), points.read(folder))


def _polished(config: SweepConfig) -> SweepConfig:
    """A third of stage 2 goes to the trials, each at its own point."""
    steps = config.stage2.steps // 3
    stage2 = replace(config.stage2, steps=config.stage2.steps - steps)
    return replace(config, stage2=stage2, polish_steps=max(1, steps // config.budget))


CASES: dict[str, Callable[[SweepConfig], SweepConfig]] = {
    "conditional": lambda config: config,
    "polished": _polished,
    "shared": presets.shared,
}
"""All train on about as many images."""


def _line(result: Result) -> str:
    summary = points.front_summary(result.frame)
    curve = _front(result)
    uncompressed = summary["uncompressed_accuracy"]
    rates = [rate_at(curve, share * uncompressed) for share in (0.9, 1.0)]
    reached = "".join("         -" if rate is None else f"{rate:10.4f}" for rate in rates)
    return (
        f"{result.case:11}  {result.seed:4}  {result.core_seconds:12.0f}  {summary['hypervolume']:11.4f}  "
        f"{summary['hypervolume_base']:.4f}  {summary['hypervolume_classical']:8.4f}    {reached}  "
        f"{max(point.accuracy for point in curve):.3f} of {uncompressed:.3f}"
    )


def _front(result: Result) -> list[Objectives]:
    return front(points.objectives(result.frame.filter("on_front")))


def _figure(results: list[Result]) -> Figure:
    figure = Figure(figsize=(7, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for result in results:
        curve = _front(result)
        label = result.case if result.seed == 0 else None
        rates, accuracies = [point.bpp for point in curve], [point.accuracy for point in curve]
        axes.step(rates, accuracies, where="post", color=COLORS[result.case], label=label, alpha=0.8)
    envelope = points.envelope(results[0].frame)
    axes.plot(
        [p.bpp for p in envelope], [p.accuracy for p in envelope], "s-", color=CLASSICAL, markersize=3, label="WebP"
    )
    axes.set(xlabel="bits per pixel, whole file", ylabel="accuracy of the recognizer", xscale="log", ylim=(0, 1))
    axes.grid(alpha=0.25, which="both")
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    main()
