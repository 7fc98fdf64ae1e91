"""The study of a search: where it is kept, what it searches, and what a killed driver left of it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.pruners import NopPruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.results.point import Point, ValidationMetrics
from sweep.search.proposals import ORIGINS, Params, PointKey, first_points, point_key, violations, weights
from sweep.stages import strategies
from sweep.stages.tree import Origins

NAME = "front of files"
"""Another objective takes another name: one study must not hold rates of files beside estimates."""
DIRECTIONS: tuple[Literal["minimize"], Literal["maximize"]] = ("minimize", "maximize")
"""What is better: less rate, more accuracy."""


class Pending(NamedTuple):
    """A point that is to be proposed before the sampler is asked."""

    point: Params
    attrs: Params
    """Attributes that its trial has from the start: the origins, once they are decided."""


def journal(folder: Path) -> BaseStorage:
    """A study in a folder's file, which outlives its process at any moment. No other process may write to it.

    Raises:
        SweepError: the file is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "optuna.log"
    if file.exists():
        _mend(file)
    try:
        return JournalStorage(JournalFileBackend(str(file)))
    except (ValueError, KeyError, TypeError) as error:
        raise SweepError(
            f"{file} is damaged ({error}); restore it, or move it away: the search goes on without what it has learned"
        ) from error


def _mend(file: Path) -> None:
    """Takes away what a killed driver left: half a line, which nobody can read, and a lock, which holds up for long."""
    with suppress(RuntimeError):
        JournalFileSymlinkLock(str(file)).release()
    os.truncate(file, file.read_bytes().rfind(b"\n") + 1)


def memory() -> BaseStorage:
    """A study that ends with its process."""
    return InMemoryStorage()


def load(storage: BaseStorage, sampler: BaseSampler) -> optuna.Study:
    """The study in a storage, or a new one."""
    return optuna.create_study(
        storage=storage,
        sampler=sampler,
        # Early stopping looks at both objectives, which Optuna's pruners cannot.
        pruner=NopPruner(),
        study_name=NAME,
        directions=[*DIRECTIONS],
        load_if_exists=True,
    )


def space(config: SweepConfig) -> dict[str, BaseDistribution]:
    """Optuna's range of each parameter that is searched."""
    others: dict[str, BaseDistribution] = {"beta": FloatDistribution(*config.search.betas, log=True)}
    others |= {name: _range(name, low, high) for name, low, high in config.search.vary}
    if not strategies.of(config).lists_lambdas:
        return {"lambda": FloatDistribution(config.search.lambdas[-1], config.search.lambdas[0], log=True), **others}
    return {"lambda_index": IntDistribution(0, len(config.search.lambdas) - 1), **others}


def _range(name: str, low: float, high: float) -> BaseDistribution:
    if name == "steps":
        return IntDistribution(round(low), round(high), log=True)
    return FloatDistribution(low, high, log=True)


def settle(
    study: optuna.Study, storage: BaseStorage, config: SweepConfig, recorded: Mapping[PointKey, Point]
) -> list[Pending]:
    """Ends the trials that a killed driver left running, as recorded or as failed; returns what is to come first.

    That is what was proposed and is not recorded, then the first points that never were proposed. It follows from what
    was proposed alone, however often and wherever in between drivers were killed.
    """
    trials = study.get_trials(deepcopy=False)
    names = {trial.number: point_key(trial.params, config) for trial in trials if proposed(trial, config)}
    told = {names.get(trial.number) for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)}
    lost: dict[PointKey, Pending] = {}
    for trial in trials:
        name = names.get(trial.number)
        if not trial.state.is_finished():
            _end(study, storage, trial, config, recorded.get(name) if name and name not in told else None)
        if name and name not in recorded:
            decided = {key: value for key, value in trial.user_attrs.items() if key == ORIGINS}
            lost.setdefault(name, Pending(trial.params, {})).attrs.update(decided)
    met = {(rate_weight, ocr_weight) for rate_weight, ocr_weight, *_ in (*recorded, *lost)}
    first = (point for point in first_points(config) if weights(point, config) not in met)
    return [*lost.values(), *(Pending(point, {}) for point in first)]


def proposed(trial: FrozenTrial, config: SweepConfig) -> bool:
    """Whether the driver lived to draw all of the trial's point."""
    return trial.params.keys() == space(config).keys()


def _end(
    study: optuna.Study, storage: BaseStorage, trial: FrozenTrial, config: SweepConfig, point: Point | None
) -> None:
    """Ends a trial as it was recorded; otherwise it has failed."""
    trial_id = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(NAME), trial.number)
    match point:
        case Point(status="complete", val=ValidationMetrics() as reached):
            constrain(Trial(study, trial_id), config, reached)
            study.tell(trial.number, [*reached.objectives])
        case Point(status="stopped", val=ValidationMetrics() as reached):
            constrain(Trial(study, trial_id), config, reached)
            study.tell(trial.number, state=TrialState.PRUNED)
        case _:
            # A study refuses to be told of a trial that waits in its queue; the storage does not.
            storage.set_trial_state_values(trial_id, TrialState.FAIL)


def origins_of(trial: Trial | FrozenTrial) -> Origins | None:
    """The trials that one comes from, as the journal has them; None where that is still to be decided."""
    origins = trial.user_attrs.get(ORIGINS)
    return None if origins is None else tuple((rate_weight, ocr_weight) for rate_weight, ocr_weight in origins)


def constrain(trial: Trial, config: SweepConfig, reached: ValidationMetrics) -> None:
    """Tells how far a point is from each constraint; a stopped one, by what it had reached.

    Otherwise TPE would take a stopped point for one that meets every constraint.
    """
    for constraint, excess in violations(config.search.constraints, reached).items():
        if constraint not in trial.constraints:
            trial.set_constraint(constraint, excess)
