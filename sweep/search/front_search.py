"""What to try next: Optuna's samplers over the plane, as Ray Tune asks them."""

import logging
import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sweep.config import SweepConfig
from sweep.results.pareto import Objectives
from sweep.results.points import Row
from sweep.search import proposals, study
from sweep.search.proposals import Weights, point_key, row_key, weights
from sweep.search.study import OBJECTIVES, ORIGINS
from sweep.stages.tree import Origins

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


class Sequence(QMCSampler):
    """A place of a quasi-random sequence. Optuna's own counts what it has drawn, what a kill undid included."""

    def __init__(self, seed: int, place: int) -> None:
        super().__init__(seed=seed, scramble=True)
        self._place = place

    def _find_sample_id(self, study: optuna.Study, search_space: dict[str, BaseDistribution]) -> int:
        del study, search_space
        return self._place


def _seed(config: SweepConfig, known: int) -> int:
    """For each proposal one, so that an interrupted search proposes what an undisturbed one does."""
    return hash((config.seed, known)) % 2**32


SAMPLERS: dict[str, Callable[[SweepConfig, int], BaseSampler]] = {
    "tpe": lambda config, known: TPESampler(seed=_seed(config, known), multivariate=True, constant_liar=True),
    "gp": lambda config, known: GPSampler(seed=_seed(config, known)),
    "nsga2": lambda config, known: NSGAIISampler(seed=_seed(config, known), population_size=POPULATION),
    # It begins after the first points, one for each lambda.
    "qmc": lambda config, known: Sequence(config.seed, max(0, known - len(config.lambdas))),
    "random": lambda config, known: RandomSampler(_seed(config, known)),
    # Its points are all proposed first.
    "grid": lambda config, known: RandomSampler(_seed(config, known)),
}
"""Made anew for each proposal, by the number of those before it."""


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
        took: Iterable[float] = (),
    ) -> None:
        """Goes on with the study in the storage, or starts one.

        What was proposed and is not `recorded` is proposed again first: what was under way when a driver was killed,
        and a failed point whose row is left out.

        Args:
            recorded: rows of the points that are done.
            too_late: whether a trial should no longer start that takes so many seconds, the median of complete ones.
            took: seconds that trials took before, or are expected to take.
        """
        self._config = config
        self._too_late = too_late
        self._clock = clock
        self._paths: dict[str, Origins] = {}
        self._finished: dict[Weights, Origins] = {}
        self._started: dict[str, float] = {}
        self._seconds = [*took]
        self._failures = 0
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        logging.getLogger("ray.tune.search.optuna").setLevel(logging.ERROR)
        super().__init__(
            space=study.space(config),
            metric=list(OBJECTIVES),
            mode=list(OBJECTIVES.values()),
            sampler=SAMPLERS[config.sampler](config, 0),
            study_name=study.NAME,
            storage=storage,
        )
        assert self._ot_study is not None
        self._study = self._ot_study
        rows = {row_key(row, config): row for row in recorded}
        self._ahead = deque(study.settle(self._study, config, rows))
        self._known = set(rows)
        """Names of all that was proposed."""
        self._count = proposals.count(config)
        for trial in self._study.get_trials(deepcopy=False):
            self._remember(trial)

    def suggest(self, trial_id: str) -> Any:
        """The next point, a dictionary, or Ray Tune's word that there is none.

        Beside a point stand its `origins`, where the strategy is to continue.
        """
        hopeless = self._failures >= max(HOPELESS, len(self._paths) / 2) and not self._finished
        if hopeless or self._exhausted() or self._too_late(median(self._seconds) if self._seconds else 0.0):
            return FINISHED
        self._started.setdefault(trial_id, self._clock())
        point = self._ask(trial_id)
        self._known.add(point_key(point, self._config))
        found, trial = weights(point, self._config), self._ot_trials[trial_id]
        origins = study.origins_of(trial)
        if origins is None:
            origins = self._nearest(found) if self._config.strategy == "continued" else ()
            trial.set_user_attr(ORIGINS, origins)
        self._paths[trial_id] = (*origins, found)
        return point | {ORIGINS: origins}

    def _exhausted(self) -> bool:
        """Whether all points that there are have been proposed."""
        return not self._ahead and len(self._known) >= self._count

    def _ask(self, trial_id: str) -> dict[str, Any]:
        """A point that is to come first, or the sampler's; a random one in place of one that was proposed before."""
        self._study.sampler = SAMPLERS[self._config.sampler](self._config, len(self._known))
        if self._ahead:
            return self._enqueued(trial_id, *self._ahead.popleft())
        point = super().suggest(trial_id)
        assert point is not None
        if point_key(point, self._config) not in self._known:
            return point
        self._study.tell(self._ot_trials.pop(trial_id), state=TrialState.FAIL)
        other = proposals.unseen(self._config, self._known, _seed(self._config, len(self._known)))
        return self._enqueued(trial_id, other, {})

    def _enqueued(self, trial_id: str, point: dict[str, Any], attrs: dict[str, Any]) -> dict[str, Any]:
        """The point, through Optuna's queue, which holds nothing else."""
        self._study.enqueue_trial(point, attrs)
        asked = super().suggest(trial_id)
        assert asked is not None
        return asked

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
        started, now = self._started.pop(trial_id, None), self._clock()
        self.on_trial_result(trial_id, told)
        match told.get("status"):
            case "complete":
                if started is not None:
                    self._seconds.append(now - started)
                study.constrain(self._ot_trials[trial_id], self._config, told)
                super().on_trial_complete(trial_id, told)
                self._finished[self._paths[trial_id][-1]] = self._paths[trial_id]
            case "failed":
                self._failures += 1
                super().on_trial_complete(trial_id, None, error=True)
            case _:
                study.constrain(self._ot_trials[trial_id], self._config, told)
                super().on_trial_complete(trial_id, None)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the journal holds it all."""
        Path(checkpoint_path).touch()

    def rungs(self) -> Iterator[tuple[int, str, Objectives]]:
        """What earlier trials have reached: the rung's number, the point's name, and how far."""
        for trial in self._study.get_trials(deepcopy=False):
            for name, reached in trial.user_attrs.items():
                if name.startswith(RUNG):
                    yield int(name.removeprefix(RUNG)), str(point_key(trial.params, self._config)), Objectives(*reached)

    def _remember(self, trial: FrozenTrial) -> None:
        if study.proposed(trial, self._config):
            self._known.add(point_key(trial.params, self._config))
            if trial.state == TrialState.COMPLETE:
                found = weights(trial.params, self._config)
                self._finished[found] = (*(study.origins_of(trial) or ()), found)

    def _nearest(self, found: Weights) -> Origins:
        """The way to the finished trial that lies nearest in log lambda and log beta, as shares of their ranges."""
        lambdas, betas = self._config.lambdas, self._config.betas
        # Of a weight that has one value, all lie equally near.
        scales = [math.log(high / low) or math.inf for low, high in ((lambdas[-1], lambdas[0]), betas)]

        def distance(other: Weights) -> float:
            pairs = zip(found, other, scales, strict=True)
            return math.hypot(*(math.log(mine / theirs) / scale for mine, theirs, scale in pairs))

        return self._finished[min(self._finished, key=distance)] if self._finished else ()
