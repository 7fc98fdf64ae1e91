"""What Ray Tune asks and tells, in our terms: the search, early stopping, and an observer of what becomes of points."""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from sweep.cluster import out_of_memory
from sweep.config import SweepConfig
from sweep.results.pareto import Objectives
from sweep.results.point import Identity, Point, ValidationMetrics
from sweep.search import proposals
from sweep.search.early_stopping import FrontStopping
from sweep.search.front_search import FrontSearch
from sweep.search.proposals import ORIGINS
from sweep.stages.store import Store
from sweep.training.loop import Progress
from sweep.trials.target import Target
from sweep.trials.trial import Rung

logger = logging.getLogger(__name__)

IN_A_ROW = 3
"""Points that fail for one cause before a sweep ends."""
INTERRUPTED = "interrupted"
"""What a trial says that was asked to end; the next sweep in the folder goes on with it."""
Message = Progress | Rung | Point | Literal["interrupted"]
"""What a trial tells the driver: how training goes, what is reached at a rung, and what the point is in the end."""
MESSAGE = "message"
"""The message's name in a result of Tune's."""
NUMBERS = re.compile(r"\S*\d\S*|\bnan\b|\binf\b")
"""In a reason: steps, losses and names, which differ from point to point."""


@runtime_checkable
class Observer(Protocol):
    """Learns in the driver's process what becomes of each point."""

    def progressed(self, identity: Identity, progress: Progress) -> None:
        """A point is being trained."""
        ...

    def finished(self, point: Point) -> None:
        """A point is measured, or has failed for a `reason`."""
        ...

    def reread(self, point: Point, accuracies: dict[str, float]) -> None:
        """Readers that are held out have read a point's reconstructions."""
        ...


class Failures:
    """Points that fail in a row, for one cause: what is wrong is no point's own."""

    def __init__(self, give_up: Callable[[], None]) -> None:
        """`give_up` is called when they are as many as `IN_A_ROW`."""
        self._give_up = give_up
        self._cause = ""
        self._count = 0

    def heard(self, point: Point) -> None:
        """A point has come to its end."""
        reason = (point.reason or "") if point.status == "failed" else ""
        same = bool(reason) and NUMBERS.split(reason) == NUMBERS.split(self._cause)
        self._cause, self._count = reason, self._count + 1 if same else bool(reason)
        if self.cause:
            self._give_up()

    @property
    def cause(self) -> str | None:
        """Why the last points failed, once they are as many as `IN_A_ROW`."""
        return self._cause if self._count >= IN_A_ROW else None


class TuneSearch(Searcher):
    """Lets Ray Tune ask a search for points, and tells the search what becomes of them."""

    def __init__(
        self, search: FrontSearch, ahead: Iterable[Target] = (), measured: Callable[[], None] = lambda: None
    ) -> None:
        """Points `ahead` of the search come first; `measured` is called when the last of them has ended."""
        super().__init__()
        self._search = search
        self._ahead = deque(ahead)
        self._measured = measured
        self._under_way: set[str] = set()
        """Trials that measure points ahead of the search, which does not hear of them."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune saves its searcher, and the journal holds all of ours."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Writes an empty file, which Tune wants to find."""
        Path(checkpoint_path).touch()

    def suggest(self, trial_id: str) -> dict[str, Any] | str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next point, or Tune's word that there is none."""
        if self._ahead:
            self._under_way.add(trial_id)
            return {"target": self._ahead.popleft()}
        return self._search.suggest(trial_id) or self.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Passes on what a trial has reached at a rung."""
        match result:
            case {"message": Rung(number=rung, reached=reached)}:
                self._search.reached(trial_id, rung, reached.objectives)
            case _:
                pass

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Passes on what a point is worth, that it failed, or that it was stopped at a rung."""
        if trial_id in self._under_way:
            self._under_way.remove(trial_id)
            if not (self._ahead or self._under_way):
                self._measured()
            return
        match result:
            case {"message": Point(status="complete", val=ValidationMetrics() as reached)}:
                self._search.complete(trial_id, reached)
            case {"message": Rung(number=rung, reached=reached)}:
                self._search.reached(trial_id, rung, reached.objectives)
                self._search.stopped(trial_id, reached)
            case {"message": "interrupted"}:
                # The search takes it for under way, as after a kill.
                pass
            case _:
                self._search.failed(trial_id)


class FrontStoppingScheduler(FIFOScheduler):
    """Stops trials that fall behind."""

    def __init__(self, config: SweepConfig, before: Iterable[tuple[int, str, Objectives]]) -> None:
        """`before` tells of earlier sweeps in the folder: rungs, names of points, and what they had reached."""
        super().__init__()
        self._config = config
        self._stopping = FrontStopping()
        for rung, name, reached in before:
            self._stopping.passes(rung, name, reached)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Whether a trial that has reached a rung goes on."""
        match result:
            case {"message": Rung(number=rung, reached=reached)}:
                # One that is trained again is not judged against itself.
                name = str(proposals.point_key(_params(trial), self._config))
                return self.CONTINUE if self._stopping.passes(rung, name, reached.objectives) else self.STOP
            case _:
                return self.CONTINUE


class Relay(tune.Callback):
    """Passes Tune's events on as ours."""

    def __init__(self, config: SweepConfig, observer: Observer, store: Store, failures: Failures) -> None:
        self._config = config
        self._observer = observer
        self._store = store
        self._failures = failures

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune saves its callbacks, and ours belong to this process."""
        return {}

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """A measured point, one that is being stopped, or news of one under way."""
        target = target_of(_params(trial), self._config)
        match result:
            case {"message": Progress() as progress}:
                self._observer.progressed(target.identity(self._config), progress)
            case {"message": Rung() as rung, "done": True}:
                self._stopped(target, rung)
            case {"message": Point() as point}:
                if point.status == "failed":
                    self._forget(target)
                self._finished(point)
            case _:
                pass

    def _stopped(self, target: Target, rung: Rung) -> None:
        """Records a stopped point before the search hears of it; it would learn twice if a driver died in between."""
        self._forget(target)
        self._finished(
            Point(
                identity=target.identity(self._config),
                status="stopped",
                val=rung.reached,
                train_seconds=rung.train_seconds,
                reason=f"behind the front after {rung.steps} steps of stage 2",
            )
        )

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A point has failed as often as it is tried; a base point is tried again by whoever needs it."""
        target, said = target_of(_params(trial), self._config), _errors(trial.error_file)
        identity = target.identity(self._config)
        logger.info("%s failed:\n%s", identity.point_id, said)
        if target.kind == "tfic":
            self._forget(target)
        self._finished(Point(identity=identity, status="failed", reason=_reason(said)))

    def _finished(self, point: Point) -> None:
        self._observer.finished(point)
        self._failures.heard(point)

    def _forget(self, target: Target) -> None:
        """Deletes what is half done of a point, so that nobody goes on with it."""
        if node := target.node(self._config):
            self._store.forget(node.key)


def _params(trial: Trial) -> dict[str, Any]:
    return trial.config  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def target_of(params: dict[str, Any], config: SweepConfig) -> Target:
    """The point that a trial of Tune's measures."""
    if "target" in params:
        return params["target"]
    origins = tuple((rate_weight, ocr_weight) for rate_weight, ocr_weight in params[ORIGINS])
    return Target("tfic", *proposals.weights(params, config), origins=origins, varied=proposals.varied(params, config))


def _errors(path: str | None) -> str:
    """Tracebacks of a trial's failures, from the file that Tune keeps of them."""
    return Path(path).read_text().strip() if path else ""


def _reason(said: str) -> str:
    """The last of a trial's failures in a line."""
    return out_of_memory.reason(said) or said.rpartition("\n")[2] or "the worker died"
