"""What to try next; the only place that knows Optuna."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from ray.tune.search.optuna import OptunaSearch

from sweep.config import SweepConfig
from sweep.points import Row

STUDY = "front"
OBJECTIVES = {"val_bpp": "min", "val_accuracy": "max"}


class FrontSearch(OptunaSearch):
    """Optuna over (lambda, beta) with two objectives, resumable from its journal.

    Both are log-uniform; where stage 1 is shared by lambda, lambda is an index into the sweep's grid instead, so that
    its order counts.
    """

    def __init__(self, config: SweepConfig, folder: Path, recorded: Iterable[Row] = ()) -> None:
        """Goes on with the journal in `folder`, or starts one.

        What was under way when the journal ended is proposed again first, unless it is one of the `recorded` points.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        logging.getLogger("ray.tune.search.optuna").setLevel(logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(folder / "optuna.log")))
        started = STUDY in optuna.get_all_study_names(storage)
        super().__init__(
            space=space(config),
            metric=list(OBJECTIVES),
            mode=list(OBJECTIVES.values()),
            points_to_evaluate=None if started else first_points(config),
            sampler=optuna.samplers.TPESampler(seed=config.seed, multivariate=True, constant_liar=True),
            study_name=STUDY,
            storage=storage,
        )
        if started:
            settle(optuna.load_study(study_name=STUDY, storage=storage), config, recorded)

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Tells Optuna; a point that failed has no objectives and is told as failed."""
        failed = error or result is None or result.get("status") != "complete"
        super().on_trial_complete(trial_id, None if failed else result, failed)


def space(config: SweepConfig) -> dict[str, BaseDistribution]:
    """The searched plane."""
    beta = FloatDistribution(*config.betas, log=True)
    if config.strategy == "conditional":
        return {"lambda": FloatDistribution(config.lambdas[-1], config.lambdas[0], log=True), "beta": beta}
    return {"lambda_index": IntDistribution(0, len(config.lambdas) - 1), "beta": beta}


def weights(params: dict[str, Any], config: SweepConfig) -> tuple[float, float]:
    """Lambda and beta of a proposal."""
    if "lambda" in params:
        return params["lambda"], params["beta"]
    return config.lambdas[params["lambda_index"]], params["beta"]


def first_points(config: SweepConfig) -> list[dict[str, Any]]:
    """One point for each lambda of the grid before the search starts; their betas spread evenly over the log range."""
    low, high = config.betas
    # The golden ratio's multiples spread evenly, and neighbours lie far apart.
    shares = [(0.5 + index * 0.6180339887) % 1 for index in range(len(config.lambdas))]
    betas = [low * (high / low) ** share for share in shares]
    if config.strategy == "conditional":
        return [{"lambda": rate, "beta": beta} for rate, beta in zip(config.lambdas, betas, strict=True)]
    return [{"lambda_index": index, "beta": beta} for index, beta in enumerate(betas)]


def settle(study: optuna.Study, config: SweepConfig, recorded: Iterable[Row]) -> None:
    """Ends the trials that a killed driver left running: as recorded, or as failed and proposed again."""
    known = {(row["lambda"], row["beta"]): row for row in recorded}
    for orphan in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        row = known.get(weights(orphan.params, config))
        if row is not None and row["status"] == "complete":
            study.tell(orphan.number, [row[name] for name in OBJECTIVES])
            continue
        study.tell(orphan.number, state=TrialState.FAIL)
        if row is None:
            study.enqueue_trial(orphan.params)
