"""What a search is told, and what it makes of it."""

from collections import Counter

from optuna.trial import TrialState

from sweep.search import FrontSearch


def answer(bpp: float, accuracy: float, status: str = "complete") -> dict:
    """A trial's result."""
    return {"val_bpp": bpp, "val_accuracy": accuracy, "status": status}


def states(searcher: FrontSearch) -> Counter[TrialState]:
    """How many of Optuna's trials stand how."""
    study = searcher._ot_study
    assert study is not None
    return Counter(trial.state for trial in study.trials)
