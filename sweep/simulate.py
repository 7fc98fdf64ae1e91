"""Command line: what a budget would buy, by simulating sweeps in virtual time.

python -m sweep.simulate --budget 64 --workers 8
"""

import math
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from models.console import ended
from sweep.arguments import seconds
from sweep.console import STYLE, complain
from sweep.errors import SweepError

if TYPE_CHECKING:
    from sweep.config import Strategy
    from sweep.simulation.simulation import Outcome

STRATEGIES: "tuple[Strategy, ...]" = ("conditional", "shared", "continued", "independent")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Simulates sweeps of a preset: real search, early stopping and stage tree, a formula for a codec.

    The formula resembles the preset cpu on two cores. What it says of other data, codecs or machines is a guess; how
    strategies, numbers of workers and budgets compare is what it is for.
    """

    budget: Annotated[int, tyro.conf.arg(metavar="N")] = 64
    """Points."""
    workers: Annotated[int, tyro.conf.arg(metavar="N")] = 2
    """Cores, or GPUs."""
    preset: Literal["paper", "cpu", "smoke"] = "cpu"
    """Whose steps, lambdas and betas."""
    strategy: Annotated[
        Literal["conditional", "shared", "continued", "independent"] | None, tyro.conf.arg(help_behavior_hint="")
    ] = None
    """One alone (default: all, side by side)."""
    sampler: Literal["tpe", "gp", "nsga2", "qmc", "random", "grid"] = "tpe"
    """What proposes the next point."""
    train_all: bool = False
    """Without early stopping."""
    hours: Annotated[float | None, tyro.conf.arg(metavar="H", help_behavior_hint="")] = None
    """Start no trial that would end later (default: no limit)."""
    image_ms: Annotated[float, tyro.conf.arg(metavar="MS")] = 5.0
    """Of training on one image in stage 1 on one worker; the other times scale with it."""
    failures: Annotated[float, tyro.conf.arg(metavar="0..1")] = 0.02
    """Share of trials that fail on their way."""
    seed: int = 0
    """Of the search, and of the formula's noise and failures."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.simulate", config=STYLE)
    strategies = STRATEGIES if arguments.strategy is None else (arguments.strategy,)
    try:
        _check(arguments)
        outcomes = [_simulated(strategy, arguments) for strategy in strategies]
    except SweepError as error:
        return complain(error)
    table = Table("", *strategies)
    for cells in zip(*(_figures(outcome, arguments.workers) for outcome in outcomes), strict=True):
        table.add_row(cells[0][0], *(value for _, value in cells))
    Console().print(table)
    return 0


def _check(arguments: Arguments) -> None:
    if not 0 < arguments.image_ms < math.inf:
        raise SweepError(f"--image-ms {arguments.image_ms:g} must be a number above 0")
    if not 0 <= arguments.failures <= 1:
        raise SweepError(f"--failures {arguments.failures:g} must be a share, 0 to 1")


def _simulated(strategy: "Strategy", arguments: Arguments) -> "Outcome":
    # They import torch, Ray and Optuna; wrong arguments are answered first.
    from sweep import presets
    from sweep.search import proposals
    from sweep.simulation.formula import Workload
    from sweep.simulation.simulation import Simulation

    config = replace(presets.PRESETS[arguments.preset](), budget=arguments.budget, seed=arguments.seed)
    config = replace(config, sampler=arguments.sampler, early_stopping=not arguments.train_all)
    config = proposals.cap_budget(replace(config, strategy=strategy))
    if strategy in presets.BY_STRATEGY:
        config = presets.BY_STRATEGY[strategy](config)
    workload = Workload().times(arguments.image_ms / 1000 / Workload.image)
    return Simulation(config, arguments.workers, workload, arguments.failures).run(seconds(arguments.hours))


def _figures(outcome: "Outcome", workers: int) -> list[tuple[str, str]]:
    from sweep.results.pareto import front, hypervolume, rate_at
    from sweep.simulation.formula import UNCOMPRESSED
    from sweep.tracking.display import clock

    rate = rate_at(front(outcome.points), 0.9 * UNCOMPRESSED)
    return [
        ("wall time", clock(outcome.seconds)),
        ("worker hours", f"{outcome.busy / 3600:.1f}"),
        ("workers busy", f"{100 * outcome.busy / (outcome.seconds * workers):.0f}%"),
        ("stages trained", str(len(outcome.trained))),
        *((f"trials {name}", str(outcome.statuses.count(name))) for name in ("complete", "stopped", "failed")),
        ("hypervolume", f"{hypervolume(outcome.points):.4f}"),
        (f"bpp that reads {0.9 * UNCOMPRESSED:.2f}", "never" if rate is None else f"{rate:.4f}"),
    ]


if __name__ == "__main__":
    sys.exit(ended(main))
