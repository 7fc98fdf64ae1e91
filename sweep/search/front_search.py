"""What to try next: asks Optuna for points of the plane, and tells it what became of them."""

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from statistics import median
from typing import NamedTuple

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from sweep.config import SweepConfig
from sweep.results.pareto import Objectives
from sweep.results.point import Point, ValidationMetrics
from sweep.search import proposals, samplers, study
from sweep.search.proposals import ORIGINS, Params, PointKey, Weights, point_key, trial_key, weights
from sweep.search.samplers import SAMPLERS
from sweep.stages import strategies
from sweep.stages.tree import Origins

RUNG = "rung "
"""In the journal, begins the name of what a trial has reached at a rung; the rung's number ends it."""
HOPELESS = 5
"""Trials, and half of those started, that may fail while none has succeeded; then the search gives up."""


class Running(NamedTuple):
    """A trial that was proposed and has not ended."""

    trial: Trial
    path: Origins
    """(lambda, beta) of the trials that it comes from, and its own."""
    started: float


class FrontSearch:
    """Optuna over (lambda, beta) with two objectives, resumable from its storage.

    Both are log-uniform; where a stage 1 is shared by lambda, lambda is an index into the sweep's grid instead, so that
    its order counts.
    """

    def __init__(
        self,
        config: SweepConfig,
        storage: BaseStorage,
        recorded: Iterable[Point] = (),
        too_late: Callable[[float], bool] = lambda seconds: False,
        clock: Callable[[], float] = time.monotonic,
        took: Iterable[float] = (),
    ) -> None:
        """Goes on with the study in the storage, or starts one.

        What was proposed and is not `recorded` is proposed again first: what was under way when a driver was killed,
        and a failed point that is left out of `recorded`.

        Args:
            recorded: the trials that are done.
            too_late: whether a trial should no longer start that takes so many seconds, the median of complete ones.
            took: seconds that trials took before, or are expected to take.
        """
        self._config = config
        self._too_late = too_late
        self._clock = clock
        self._running: dict[str, Running] = {}
        self._started = 0
        self._failures = 0
        self._seconds = [*took]
        self._finished: dict[Weights, Origins] = {}
        """Paths of complete trials, by (lambda, beta)."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self.study = study.load(storage, SAMPLERS[config.search.sampler](config, 0))
        done = {trial_key(point.identity, config): point for point in recorded}
        self._ahead = deque(study.settle(self.study, storage, config, done))
        self._count = proposals.count(config)
        self._known: set[PointKey] = {*done}
        """All that was ever proposed."""
        for trial in self.study.get_trials(deepcopy=False):
            self._remember(trial)

    def _remember(self, trial: FrozenTrial) -> None:
        if study.proposed(trial, self._config):
            self._known.add(point_key(trial.params, self._config))
            if trial.state == TrialState.COMPLETE:
                found = weights(trial.params, self._config)
                self._finished[found] = (*(study.origins_of(trial) or ()), found)

    def suggest(self, name: str) -> Params | None:
        """The next point and its `origins`, the trials that it is to continue; None where there is nothing to propose.

        Args:
            name: of the trial, by which the search is told what becomes of it.
        """
        if self._is_over():
            return None
        started = self._clock()
        trial = self._ask()
        self._started += 1
        self._known.add(point_key(trial.params, self._config))
        path = self._path(trial)
        self._running[name] = Running(trial, path, started)
        return trial.params | {ORIGINS: path[:-1]}

    def _is_over(self) -> bool:
        """Whether all points have been proposed, all trials fail, or none would end in time."""
        exhausted = not self._ahead and len(self._known) >= self._count
        hopeless = self._failures >= max(HOPELESS, self._started / 2) and not self._finished
        return hopeless or exhausted or self._too_late(median(self._seconds) if self._seconds else 0.0)

    def _ask(self) -> Trial:
        """A point that is to come first, or the sampler's; a random one in place of one that was proposed before."""
        known = len(self._known)
        self.study.sampler = SAMPLERS[self._config.search.sampler](self._config, known)
        if self._ahead:
            return self._enqueued(*self._ahead.popleft())
        trial = self.study.ask(study.space(self._config))
        if point_key(trial.params, self._config) not in self._known:
            return trial
        self.study.tell(trial, state=TrialState.FAIL)
        return self._enqueued(proposals.unseen(self._config, self._known, samplers.seed(self._config, known)), {})

    def _enqueued(self, point: Params, attrs: Params) -> Trial:
        """A trial of the given point, through Optuna's queue, which holds nothing else."""
        self.study.enqueue_trial(point, attrs)
        return self.study.ask(study.space(self._config))

    def _path(self, trial: Trial) -> Origins:
        """Where the trial comes from, decided at its first proposal, and its own (lambda, beta)."""
        found, origins = weights(trial.params, self._config), study.origins_of(trial)
        if origins is None:
            origins = self._nearest(found) if strategies.of(self._config).continues else ()
            trial.set_user_attr(ORIGINS, origins)
        return (*origins, found)

    def _nearest(self, found: Weights) -> Origins:
        """The path of the finished trial that lies nearest in log lambda and log beta, as shares of their ranges."""
        lambdas, betas = self._config.search.lambdas, self._config.search.betas
        # All lie equally near in a weight that has one value.
        scales = [math.log(high / low) or math.inf for low, high in ((lambdas[-1], lambdas[0]), betas)]

        def distance(other: Weights) -> float:
            pairs = zip(found, other, scales, strict=True)
            return math.hypot(*(math.log(mine / theirs) / scale for mine, theirs, scale in pairs))

        return self._finished[min(self._finished, key=distance)] if self._finished else ()

    def reached(self, name: str, rung: int, reached: Objectives) -> None:
        """A trial has passed a rung, or is stopped there."""
        self._running[name].trial.set_user_attr(f"{RUNG}{rung}", [*reached])

    def complete(self, name: str, reached: ValidationMetrics) -> None:
        """A trial is measured."""
        trial, path, started = self._running.pop(name)
        self._seconds.append(self._clock() - started)
        study.constrain(trial, self._config, reached)
        self.study.tell(trial, [*reached.objectives], state=TrialState.COMPLETE)
        self._finished[path[-1]] = path

    def stopped(self, name: str, reached: ValidationMetrics) -> None:
        """A trial has fallen behind, and had reached so much."""
        trial = self._running.pop(name).trial
        study.constrain(trial, self._config, reached)
        self.study.tell(trial, state=TrialState.PRUNED)

    def failed(self, name: str) -> None:
        """A trial has failed."""
        self._failures += 1
        self.study.tell(self._running.pop(name).trial, state=TrialState.FAIL)

    def rungs(self) -> Iterator[tuple[int, str, Objectives]]:
        """The number of each rung that earlier trials have reached, the point's name, and what it had there."""
        for trial in self.study.get_trials(deepcopy=False):
            for name, reached in trial.user_attrs.items():
                if name.startswith(RUNG):
                    yield int(name.removeprefix(RUNG)), str(point_key(trial.params, self._config)), Objectives(*reached)
