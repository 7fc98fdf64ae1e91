"""What a search is told, and what it makes of it."""

from collections import Counter
from typing import Any

from optuna.trial import TrialState

from sweep.config import SweepConfig
from sweep.results.points import Row
from sweep.search import proposals
from sweep.search.front_search import FrontSearch
from sweep.search.proposals import Params


def answer(bpp: float, accuracy: float, status: str = "complete") -> dict[str, Any]:
    """A trial's result."""
    return {"val_bpp": bpp, "val_accuracy": accuracy, "status": status}


def row(point: Params, config: SweepConfig, result: dict[str, Any]) -> Row:
    """What the table of points keeps of a trial."""
    rate_weight, ocr_weight = proposals.weights(point, config)
    columns = {proposals.COLUMNS.get(name, name): value for name, value in proposals.varied(point, config)}
    return {"lambda": rate_weight, "beta": ocr_weight} | columns | result


def states(searcher: FrontSearch) -> Counter[TrialState]:
    """How many of Optuna's trials stand how."""
    return Counter(trial.state for trial in searcher.study.trials)


def proposed(searcher: FrontSearch, name: str) -> Params:
    """The next point, where there is one."""
    point = searcher.suggest(name)
    assert point is not None
    return point


def tell(searcher: FrontSearch, name: str, result: dict[str, Any]) -> None:
    """Tells a search how a trial has ended."""
    match result["status"]:
        case "complete":
            searcher.complete(name, result)
        case "stopped":
            searcher.stopped(name, result)
        case _:
            searcher.failed(name)
