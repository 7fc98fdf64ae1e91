"""What a search is told, and what it makes of it."""

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

from optuna.trial import TrialState

from sweep.config import SweepConfig
from sweep.results.point import Identity, Point, Status, ValidationMetrics
from sweep.search import proposals
from sweep.search.front_search import FrontSearch
from sweep.search.proposals import Params


class Result(NamedTuple):
    """How a trial ends, and what it has reached."""

    status: Status
    reached: ValidationMetrics


def answer(bpp: float, accuracy: float, status: Status = "complete") -> Result:
    """A trial's result."""
    return Result(status, ValidationMetrics(bpp, accuracy, 20.0))


def recorded(params: Params, config: SweepConfig, result: Result) -> Point:
    """What the table of points keeps of a trial."""
    weights = proposals.weights(params, config)
    settings: dict[str, Any] = {
        proposals.FIELDS.get(name, name): value for name, value in proposals.varied(params, config)
    }
    identity = replace(Identity("a", "tfic", "small", *weights), **settings)
    return Point(identity=identity, status=result.status, val=result.reached)


def states(searcher: FrontSearch) -> Counter[TrialState]:
    """How many of Optuna's trials stand how."""
    return Counter(trial.state for trial in searcher.study.trials)


def proposed(searcher: FrontSearch, name: str) -> Params:
    """The next point, where there is one."""
    point = searcher.suggest(name)
    assert point is not None
    return point


def tell(searcher: FrontSearch, name: str, result: Result) -> None:
    """Tells a search how a trial has ended."""
    match result.status:
        case "complete":
            searcher.complete(name, result.reached)
        case "stopped":
            searcher.stopped(name, result.reached)
        case "failed":
            searcher.failed(name)
