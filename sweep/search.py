"""What to try next: Optuna's samplers over the plane, as Ray Tune asks them."""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sweep import study
from sweep.config import SweepConfig
from sweep.pareto import Objectives
from sweep.points import Row
from sweep.proposals import Named, Weights, first_points, named, weights
from sweep.stages import Origins
from sweep.study import OBJECTIVES, ORIGINS

RUNG = "rung "
"""Begins the name, in the journal, of what a trial has reached at a rung, by its number."""
FINISHED = Searcher.FINISHED
"""Ray Tune's word that nothing is left to propose."""
INTERRUPTED = "interrupted"
"""Status of a trial that was asked to end; the next sweep in the folder goes on with it."""
HOPELESS = 5
"""Trials, and half of those started, that may fail while none has succeeded; then the search gives up."""
POPULATION = 16
"""Of a genetic search: a budget of 64 is to see some generations."""
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, constant_liar=True),
    "gp": lambda seed: GPSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=POPULATION),
    "qmc": lambda seed: QMCSampler(seed=seed, scramble=True),
    "random": lambda seed: RandomSampler(seed=seed),
    # Its points are all proposed first.
    "grid": lambda seed: RandomSampler(seed=seed),
}


class FrontSearch(OptunaSearch):
    """Optuna over (lambda, beta) with two objectives, resumable from its storage.

    Both are log-uniform; where a stage 1 is shared by lambda, lambda is an index into the sweep's grid instead, so that
    its order counts.
    """

    def __init__(
        self,
        config: SweepConfig,
        storage: BaseStorage,
        recorded: Iterable[Row] = (),
        too_late: Callable[[float], bool] = lambda seconds: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Goes on with the study in the storage, or starts one.

        What was under way when the study ended is proposed again first, unless it is one of the `recorded` points.

        Args:
            too_late: whether a trial should no longer start that took so many seconds, as those before did on average.
        """
        self._config = config
        self._too_late = too_late
        self._clock = clock
        self._paths: dict[str, Origins] = {}
        self._finished: dict[Weights, Origins] = {}
        self._known: set[Named] = set()
        self._started: dict[str, float] = {}
        self._seconds: list[float] = []
        self._failures = 0
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        logging.getLogger("ray.tune.search.optuna").setLevel(logging.ERROR)
        started = study.NAME in optuna.get_all_study_names(storage)
        super().__init__(
            space=study.space(config),
            metric=list(OBJECTIVES),
            mode=list(OBJECTIVES.values()),
            sampler=SAMPLERS[config.sampler](config.seed),
            study_name=study.NAME,
            storage=storage,
        )
        assert self._ot_study is not None
        self._study = self._ot_study
        for point in () if started else first_points(config):
            self._study.enqueue_trial(point)
        study.settle(self._study, config, recorded)
        for trial in self._study.get_trials(deepcopy=False):
            self._remember(trial)

    def suggest(self, trial_id: str) -> Any:
        """The next point, a dictionary, or Ray Tune's word that there is none.

        Beside a point stand its `origins`, where the strategy is to continue.
        """
        hopeless = self._failures >= max(HOPELESS, len(self._paths) / 2) and not self._finished
        if hopeless or self._too_late(fmean(self._seconds) if self._seconds else 0.0):
            return FINISHED
        self._study.sampler = SAMPLERS[self._config.sampler](self._draw())
        self._started.setdefault(trial_id, self._clock())
        point = super().suggest(trial_id)
        assert point is not None
        self._known.add(named(point, self._config))
        found, trial = weights(point, self._config), self._ot_trials[trial_id]
        origins = study.origins_of(trial) or (self._nearest(found) if self._config.strategy == "continued" else ())
        self._paths[trial_id] = (*origins, found)
        trial.set_user_attr(ORIGINS, origins)
        return point | {ORIGINS: origins}

    def on_trial_result(self, trial_id: str, result: dict) -> None:
        """Keeps what a trial has reached at a rung."""
        if "rung" in result:
            reached = [result[name] for name in OBJECTIVES]
            self._ot_trials[trial_id].set_user_attr(f"{RUNG}{result['rung']}", reached)

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Tells Optuna: what a point is worth, that it failed, or that it was stopped at a rung, which has no worth."""
        told = result or {"status": "failed"}
        if told.get("status") == INTERRUPTED:
            # It is under way still, as after a kill.
            return
        now = self._clock()
        self._seconds.append(now - self._started.pop(trial_id, now))
        self.on_trial_result(trial_id, told)
        match told.get("status"):
            case "complete":
                study.constrain(self._ot_trials[trial_id], self._config, told)
                super().on_trial_complete(trial_id, told)
                self._finished[self._paths[trial_id][-1]] = self._paths[trial_id]
            case "failed":
                self._failures += 1
                super().on_trial_complete(trial_id, None, error=True)
            case _:
                super().on_trial_complete(trial_id, None)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the journal holds it all."""
        Path(checkpoint_path).touch()

    def rungs(self) -> Iterator[tuple[int, str, Objectives]]:
        """What earlier trials have reached: the rung's number, the trial's name, and how far."""
        for trial in self._study.get_trials(deepcopy=False):
            for name, reached in trial.user_attrs.items():
                if name.startswith(RUNG):
                    yield int(name.removeprefix(RUNG)), f"trial {trial.number}", Objectives(*reached)

    def _draw(self) -> int:
        """A seed for each proposal, so that an interrupted search proposes what an undisturbed one does."""
        if self._config.sampler == "qmc":
            # Its points are one sequence.
            return self._config.seed
        return hash((self._config.seed, len(self._known))) % 2**32

    def _remember(self, trial: FrozenTrial) -> None:
        if study.proposed(trial, self._config):
            self._known.add(named(trial.params, self._config))
            if trial.state == TrialState.COMPLETE:
                found = weights(trial.params, self._config)
                self._finished[found] = (*study.origins_of(trial), found)

    def _nearest(self, found: Weights) -> Origins:
        """The way to the finished trial that lies nearest in log lambda and log beta."""
        lambdas, betas = self._config.lambdas, self._config.betas
        ranges = (lambdas[0] / lambdas[-1], betas[1] / betas[0])
        scales = [max(math.log(width), 1e-9) for width in ranges]

        def distance(other: Weights) -> float:
            pairs = zip(found, other, scales, strict=True)
            return math.hypot(*(math.log(mine / theirs) / scale for mine, theirs, scale in pairs))

        return self._finished[min(self._finished, key=distance)] if self._finished else ()
