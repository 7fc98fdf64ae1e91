"""What a search is told, and what it makes of it."""

from collections import Counter

from optuna.trial import TrialState

from sweep.config import SweepConfig
from sweep.results.points import Row
from sweep.search import proposals
from sweep.search.front_search import FrontSearch


def answer(bpp: float, accuracy: float, status: str = "complete") -> dict:
    """A trial's result."""
    return {"val_bpp": bpp, "val_accuracy": accuracy, "status": status}


def row(point: dict, config: SweepConfig, result: dict) -> Row:
    """What the table of points keeps of a trial."""
    rate_weight, ocr_weight = proposals.weights(point, config)
    columns = {proposals.COLUMNS.get(name, name): value for name, value in proposals.varied(point, config)}
    return {"lambda": rate_weight, "beta": ocr_weight} | columns | result


def states(searcher: FrontSearch) -> Counter[TrialState]:
    """How many of Optuna's trials stand how."""
    study = searcher._ot_study
    assert study is not None
    return Counter(trial.state for trial in study.trials)
