"""The study of a search: where it is kept, what it searches, and what a killed driver left of it."""

from collections.abc import Iterable
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from sweep.config import SweepConfig
from sweep.points import Row
from sweep.proposals import excesses, named, named_by
from sweep.stages import Origins

NAME = "front"
ORIGINS = "origins"
"""Names, in a proposal and in the journal, the trials that one comes from."""
OBJECTIVES = {"val_bpp": "min", "val_accuracy": "max"}


def journal(folder: Path) -> BaseStorage:
    """A study in a folder's file, which outlives its process at any moment."""
    folder.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(folder / "optuna.log")))


def memory() -> BaseStorage:
    """A study that ends with its process."""
    return InMemoryStorage()


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
        row = known.get(named(orphan.params, config)) if proposed(orphan, config) else None
        if row:
            _tell(study, orphan, config, row)
        else:
            again.append(orphan)
    # Optuna hands out what waits in the order in which it came.
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,)) if again else []
    for trial in (*again, *waiting):
        study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        point = trial.params if proposed(trial, config) else trial.system_attrs.get("fixed_params")
        if point:
            study.enqueue_trial(point, {ORIGINS: origins_of(trial)})


def proposed(trial: FrozenTrial, config: SweepConfig) -> bool:
    """Whether the driver lived to draw all of the trial's point."""
    return trial.params.keys() == space(config).keys()


def _tell(study: optuna.Study, trial: FrozenTrial, config: SweepConfig, row: Row) -> None:
    """What was recorded of a trial."""
    match row["status"]:
        case "complete":
            constrain(Trial(study, trial._trial_id), config, row)
            study.tell(trial.number, [row[name] for name in OBJECTIVES])
        case "stopped":
            study.tell(trial.number, state=TrialState.PRUNED)
        case _:
            study.tell(trial.number, state=TrialState.FAIL)


def origins_of(trial: Trial | FrozenTrial) -> Origins:
    """The trials that one comes from, as the journal has them."""
    return tuple((rate_weight, ocr_weight) for rate_weight, ocr_weight in trial.user_attrs.get(ORIGINS, ()))


def constrain(trial: Trial, config: SweepConfig, row: Row) -> None:
    """Tells how far a measured point is from each wish."""
    for wish, excess in excesses(config.wishes, row).items():
        trial.set_constraint(wish, excess)
