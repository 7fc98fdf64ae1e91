"""Command line: what a budget would buy, by simulating sweeps in virtual time.

python -m sweep.simulate --budget 64 --workers 8
"""

import math
import sys
from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console

from models.console import ended
from sweep.arguments import seconds
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.names import STRATEGIES, PresetName, SamplerName, StrategyName

IDLE = 600.0
"""Seconds after which the autoscaler of ray_cluster.yaml lets go of an idle machine."""


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
    preset: PresetName = "cpu"
    """Whose steps, lambdas and betas."""
    strategy: Annotated[StrategyName | None, tyro.conf.arg(help_behavior_hint="")] = None
    """One alone (default: all, side by side)."""
    sampler: SamplerName = "tpe"
    """What proposes the next point."""
    train_all: bool = False
    """Without early stopping."""
    hours: Annotated[float | None, tyro.conf.arg(metavar="H", help_behavior_hint="")] = None
    """Start no trial that would end later (default: no limit)."""
    image_ms: Annotated[float, tyro.conf.arg(metavar="MS")] = 5.0
    """Milliseconds of training on one image in stage 1 on one worker; the other times scale with them."""
    boot: Annotated[float | None, tyro.conf.arg(metavar="S", help_behavior_hint="")] = None
    """Seconds in which an autoscaler starts a worker, of which it lets go after ten minutes (default: all are up)."""
    failures: Annotated[float, tyro.conf.arg(metavar="0..1")] = 0.02
    """Share of trials that fail on their way."""
    seed: int = 0
    """What the search, and the formula's noise and failures, are drawn by."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.simulate", config=STYLE)
    try:
        _check(arguments)
        _run(arguments)
    except SweepError as error:
        return complain(error)
    return 0


def _check(arguments: Arguments) -> None:
    if not 0 < arguments.image_ms < math.inf:
        raise SweepError(f"--image-ms {arguments.image_ms:g} must be a number above 0")
    if arguments.boot is not None and not 0 <= arguments.boot < math.inf:
        raise SweepError(f"--boot {arguments.boot:g} must be a number of seconds, 0 or more")
    if not 0 <= arguments.failures <= 1:
        raise SweepError(f"--failures {arguments.failures:g} must be a share, 0 to 1")


def _run(arguments: Arguments) -> None:
    limit = seconds(arguments.hours)
    # torch and Optuna take seconds to import; wrong arguments are answered first.
    from sweep import presets
    from sweep.config import override
    from sweep.simulation import comparison
    from sweep.simulation.formula import Workload
    from sweep.simulation.simulation import Autoscaler

    preset = override(
        presets.PRESETS[arguments.preset](),
        budget=arguments.budget,
        seed=arguments.seed,
        sampler=arguments.sampler,
        early_stopping=not arguments.train_all,
    )
    wanted = STRATEGIES if arguments.strategy is None else (arguments.strategy,)
    workload = Workload().times(arguments.image_ms / 1000 / Workload.image)
    autoscaler = None if arguments.boot is None else Autoscaler(arguments.boot, IDLE)
    table = comparison.table(preset, wanted, arguments.workers, workload, arguments.failures, limit, autoscaler)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(ended(main))
