"""What to try next; the only place that knows Optuna."""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sweep.config import SweepConfig
from sweep.pareto import Objectives
from sweep.points import Row
from sweep.proposals import Named, Weights, excesses, first_points, named, named_by, weights
from sweep.stages import Origins

STUDY = "front"
ORIGINS = "origins"
"""Names, in a proposal and in the journal, the trials that one comes from."""
RUNG = "rung "
"""Begins the name, in the journal, of what a trial has reached at a rung, by its number."""
OBJECTIVES = {"val_bpp": "min", "val_accuracy": "max"}
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


def journal(folder: Path) -> BaseStorage:
    """A study in a folder's file, which outlives its process at any moment."""
    folder.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(folder / "optuna.log")))


def memory() -> BaseStorage:
    """A study that ends with its process."""
    return InMemoryStorage()


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
        started = STUDY in optuna.get_all_study_names(storage)
        super().__init__(
            space=space(config),
            metric=list(OBJECTIVES),
            mode=list(OBJECTIVES.values()),
            sampler=SAMPLERS[config.sampler](config.seed),
            study_name=STUDY,
            storage=storage,
        )
        assert self._ot_study is not None
        self._study = self._ot_study
        for point in () if started else first_points(config):
            self._study.enqueue_trial(point)
        settle(self._study, config, recorded)
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
        origins = _origins(trial) or (self._nearest(found) if self._config.strategy == "continued" else ())
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
                _constrain(self._ot_trials[trial_id], self._config, told)
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
        if _proposed(trial, self._config):
            self._known.add(named(trial.params, self._config))
            if trial.state == TrialState.COMPLETE:
                found = weights(trial.params, self._config)
                self._finished[found] = (*_origins(trial), found)

    def _nearest(self, found: Weights) -> Origins:
        """The way to the finished trial that lies nearest in log lambda and log beta."""
        lambdas, betas = self._config.lambdas, self._config.betas
        ranges = (lambdas[0] / lambdas[-1], betas[1] / betas[0])
        scales = [max(math.log(width), 1e-9) for width in ranges]

        def distance(other: Weights) -> float:
            pairs = zip(found, other, scales, strict=True)
            return math.hypot(*(math.log(mine / theirs) / scale for mine, theirs, scale in pairs))

        return self._finished[min(self._finished, key=distance)] if self._finished else ()


def space(config: SweepConfig) -> dict[str, BaseDistribution]:
    """The searched plane, and what else is searched."""
    others: dict[str, BaseDistribution] = {"beta": FloatDistribution(*config.betas, log=True)}
    others |= {name: _range(name, low, high) for name, low, high in config.vary}
    if config.strategy != "shared":
        return {"lambda": FloatDistribution(config.lambdas[-1], config.lambdas[0], log=True), **others}
    return {"lambda_index": IntDistribution(0, len(config.lambdas) - 1), **others}


def _range(name: str, low: float, high: float) -> BaseDistribution:
    if name == "steps":
        return IntDistribution(round(low), round(high), log=True)
    return FloatDistribution(low, high, log=True)


def settle(study: optuna.Study, config: SweepConfig, recorded: Iterable[Row]) -> None:
    """Ends the trials that a killed driver left running: as recorded, or as failed and proposed again, first of all."""
    known = {named_by(row, config): row for row in recorded}
    again = []
    for orphan in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        row = known.get(named(orphan.params, config)) if _proposed(orphan, config) else None
        if row:
            _tell(study, orphan, config, row)
        else:
            again.append(orphan)
    # Optuna hands out what waits in the order in which it came.
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,)) if again else []
    for trial in (*again, *waiting):
        study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        point = trial.params if _proposed(trial, config) else trial.system_attrs.get("fixed_params")
        if point:
            study.enqueue_trial(point, {ORIGINS: _origins(trial)})


def _proposed(trial: FrozenTrial, config: SweepConfig) -> bool:
    """Whether the driver lived to draw all of the trial's point."""
    return trial.params.keys() == space(config).keys()


def _tell(study: optuna.Study, trial: FrozenTrial, config: SweepConfig, row: Row) -> None:
    """What was recorded of a trial."""
    match row["status"]:
        case "complete":
            _constrain(Trial(study, trial._trial_id), config, row)
            study.tell(trial.number, [row[name] for name in OBJECTIVES])
        case "stopped":
            study.tell(trial.number, state=TrialState.PRUNED)
        case _:
            study.tell(trial.number, state=TrialState.FAIL)


def _origins(trial: Trial | FrozenTrial) -> Origins:
    """The trials that one comes from, as the journal has them."""
    return tuple((rate_weight, ocr_weight) for rate_weight, ocr_weight in trial.user_attrs.get(ORIGINS, ()))


def _constrain(trial: Trial, config: SweepConfig, row: Row) -> None:
    """Tells how far a measured point is from each wish."""
    for wish, excess in excesses(config.wishes, row).items():
        trial.set_constraint(wish, excess)
