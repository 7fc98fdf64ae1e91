"""What a budget buys with each strategy: simulated sweeps side by side, in a table."""

from collections.abc import Iterable
from dataclasses import replace

from rich.table import Table

from sweep.config import SweepConfig
from sweep.names import StrategyName
from sweep.results.pareto import front, hypervolume, rate_at
from sweep.search import proposals
from sweep.simulation.formula import UNCOMPRESSED, Workload
from sweep.simulation.simulation import Autoscaler, Outcome, Simulation
from sweep.stages.strategies import STRATEGIES
from sweep.tracking.display import clock


def table(
    preset: SweepConfig,
    strategies: Iterable[StrategyName],
    workers: int,
    workload: Workload,
    failures: float,
    seconds: float,
    autoscaler: Autoscaler | None = None,
) -> Table:
    """A column a strategy, all on as many images of training.

    Args:
        failures: share of trials that fail on their way.
        seconds: after which no trial starts that would end later.
        autoscaler: what starts workers and lets go of them; None: all are up.

    Raises:
        SweepError: a number makes no sense.
    """
    outcomes: dict[StrategyName, Outcome] = {}
    for name in strategies:
        config = STRATEGIES[name].split_budget(proposals.cap_budget(replace(preset, strategy=name)))
        outcomes[name] = Simulation(config, workers, workload, failures, autoscaler).run(seconds)
    found = Table("", *outcomes)
    for cells in zip(*(_figures(outcome) for outcome in outcomes.values()), strict=True):
        found.add_row(cells[0][0], *(value for _, value in cells))
    return found


def _figures(outcome: Outcome) -> list[tuple[str, str]]:
    """Names and values of a column."""
    rate = rate_at(front(outcome.points), 0.9 * UNCOMPRESSED)
    return [
        ("wall time", clock(outcome.seconds)),
        ("worker hours", f"{outcome.busy / 3600:.1f}"),
        ("worker hours paid", f"{outcome.paid / 3600:.1f}"),
        ("workers busy", f"{100 * outcome.busy / outcome.paid:.0f}%"),
        ("stages trained", str(len(outcome.trained))),
        *((f"trials {name}", str(outcome.statuses.count(name))) for name in ("complete", "stopped", "failed")),
        ("hypervolume", f"{hypervolume(outcome.points):.4f}"),
        (f"bpp that reads {0.9 * UNCOMPRESSED:.2f}", "never" if rate is None else f"{rate:.4f}"),
    ]
