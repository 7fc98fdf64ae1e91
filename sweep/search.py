"""What to try next; the only place that knows Optuna."""

import logging
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sweep.config import SweepConfig
from sweep.points import Row

STUDY = "front"
OBJECTIVES = {"val_bpp": "min", "val_accuracy": "max"}
POPULATION = 16
"""Of a genetic search: a budget of 64 is to see some generations."""
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, constant_liar=True),
    "gp": lambda seed: GPSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=POPULATION),
    "qmc": lambda seed: QMCSampler(seed=seed, scramble=True),
    "random": lambda seed: RandomSampler(seed=seed),
    # Its points come first; should some fail, others take their place.
    "grid": lambda seed: RandomSampler(seed=seed),
}
EXCESS: dict[str, tuple[str, int]] = {
    "max_bpp": ("val_bpp", 1),
    "min_accuracy": ("val_accuracy", -1),
    "min_psnr": ("val_psnr_db", -1),
}
"""What each wish is about, and whether more of it (1) or less (-1) is against it."""


class FrontSearch(OptunaSearch):
    """Optuna over (lambda, beta) with two objectives, resumable from its journal.

    Both are log-uniform; where a stage 1 is shared by lambda, lambda is an index into the sweep's grid instead, so that
    its order counts.
    """

    def __init__(
        self, config: SweepConfig, folder: Path, recorded: Iterable[Row] = (), deadline: float = math.inf
    ) -> None:
        """Goes on with the journal in `folder`, or starts one.

        What was under way when the journal ended is proposed again first, unless it is one of the `recorded` points.
        Nothing is proposed that would end after `deadline`, of the monotonic clock, if it took as long as those before.
        """
        self._wishes = config.wishes
        self._deadline = deadline
        self._started: dict[str, float] = {}
        self._seconds: list[float] = []
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
            sampler=SAMPLERS[config.sampler](config.seed),
            study_name=STUDY,
            storage=storage,
        )
        if started:
            settle(optuna.load_study(study_name=STUDY, storage=storage), config, recorded)

    def suggest(self, trial_id: str) -> dict | None:
        """The next point, or Ray Tune's word that there is none, which its own type leaves out."""
        now = time.monotonic()
        if now + (fmean(self._seconds) if self._seconds else 0.0) > self._deadline:
            return cast(dict, Searcher.FINISHED)
        self._started.setdefault(trial_id, now)
        return super().suggest(trial_id)

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Tells Optuna; a point that failed has no objectives and is told as failed."""
        failed = error or result is None or result.get("status") != "complete"
        self._seconds.append(time.monotonic() - self._started.pop(trial_id, time.monotonic()))
        if result is not None and not failed:
            for wish, excess in excesses(self._wishes, result).items():
                self._ot_trials[trial_id].set_constraint(wish, excess)
        super().on_trial_complete(trial_id, None if failed else result, failed)


def excesses(wishes: dict[str, float], result: Row) -> dict[str, float]:
    """By how much a point misses each wish; 0 or less where it is met."""
    found = {}
    for wish, bound in wishes.items():
        name, sign = EXCESS[wish]
        found[wish] = sign * (result[name] - bound)
    return found


def space(config: SweepConfig) -> dict[str, BaseDistribution]:
    """The searched plane."""
    beta = FloatDistribution(*config.betas, log=True)
    if config.strategy != "shared":
        return {"lambda": FloatDistribution(config.lambdas[-1], config.lambdas[0], log=True), "beta": beta}
    return {"lambda_index": IntDistribution(0, len(config.lambdas) - 1), "beta": beta}


def weights(params: dict[str, Any], config: SweepConfig) -> tuple[float, float]:
    """Lambda and beta of a proposal."""
    if "lambda" in params:
        return params["lambda"], params["beta"]
    return config.lambdas[params["lambda_index"]], params["beta"]


def first_points(config: SweepConfig) -> list[dict[str, Any]]:
    """One point for each lambda before the search starts, their betas spread evenly over the log range; or the grid."""
    low, high = config.betas
    if config.sampler == "grid":
        count = max(1, config.budget // len(config.lambdas)) if low < high else 1
        indexes = range(len(config.lambdas))
        return [_point(index, beta, config) for beta in spread(low, high, count) for index in indexes]
    # The golden ratio's multiples spread evenly, and neighbours lie far apart.
    shares = [(0.5 + index * 0.6180339887) % 1 for index in range(len(config.lambdas))]
    betas = [low * (high / low) ** share for share in shares]
    return [_point(index, beta, config) for index, beta in enumerate(betas)]


def spread(low: float, high: float, count: int) -> list[float]:
    """Values at equal ratios, from low to high; one alone lies in the middle."""
    shares = [index / (count - 1) for index in range(count)] if count > 1 else [0.5]
    return [low * (high / low) ** share for share in shares]


def _point(index: int, beta: float, config: SweepConfig) -> dict[str, Any]:
    """That of a lambda of the sweep's list, as it is proposed."""
    if config.strategy == "shared":
        return {"lambda_index": index, "beta": beta}
    return {"lambda": config.lambdas[index], "beta": beta}


def settle(study: optuna.Study, config: SweepConfig, recorded: Iterable[Row]) -> None:
    """Ends the trials that a killed driver left running: as recorded, or as failed and proposed again."""
    known = {(row["lambda"], row["beta"]): row for row in recorded}
    for orphan in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        row = known.get(weights(orphan.params, config))
        if row is not None and row["status"] == "complete":
            for wish, excess in excesses(config.wishes, row).items():
                Trial(study, orphan._trial_id).set_constraint(wish, excess)
            study.tell(orphan.number, [row[name] for name in OBJECTIVES])
            continue
        study.tell(orphan.number, state=TrialState.FAIL)
        if row is None:
            study.enqueue_trial(orphan.params)
