"""Checkpoints of a training stage: saved while training goes well, rolled back to where it diverges."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import nn

from sweep.errors import DivergedError
from sweep.training.optimizer import CodecOptimizer
from sweep.training.team import Team

HALVINGS = 2
"""Times that the learning rate is halved, at most, before a stage is given up."""
STREAK = 20
"""Updates left out in a row, or a twentieth of a shorter stage's, after which nothing good is to come."""
SHARE = 0.05
"""Largest share of the updates so far that may be left out."""


class Mishaps(NamedTuple):
    """What went wrong in a stage that went on."""

    skipped: int = 0
    """Updates left out, for their gradients were not finite."""
    halvings: int = 0
    """Times that it diverged, and went on from its last good state at half the learning rate."""

    def __str__(self) -> str:
        """In words; empty where all went well."""
        rate = f"it diverged and went on at 1/{2**self.halvings} of the learning rate" if self.halvings else ""
        left_out = f"{self.skipped} updates left out, whose gradients were not finite" if self.skipped else ""
        return ", ".join(filter(None, (rate, left_out)))


class TrainingState(NamedTuple):
    """Everything that an interrupted stage needs to go on as if it had not been."""

    step: int
    codec: dict[str, Any]
    optimizer: dict[str, Any]
    skipped: int = 0
    halvings: int = 0


@runtime_checkable
class Checkpointer(Protocol):
    """Keeps the states of a stage between processes."""

    def restore(self) -> TrainingState | None:
        """The last state that was saved, or None."""
        ...

    def stop_requested(self) -> bool:
        """Whether the stage is to be left half done."""
        ...

    def due(self) -> bool:
        """Whether it is time to save a state; asked after each update."""
        ...

    def save(self, state: TrainingState) -> None:
        """Saves a state, beside the state before."""
        ...

    def drop_last(self) -> None:
        """Forgets the last state, which may have held the germ of what went wrong, unless it is the only state."""
        ...


class Checkpointing:
    """Saves the states of a stage in training, and rolls back where it diverges.

    All members of a team do alike, for they share their gradients.
    """

    def __init__(
        self, codec: nn.Module, optimizer: CodecOptimizer, checkpointer: Checkpointer | None, team: Team
    ) -> None:
        """Goes on from the last state that the first member's checkpointer has; where it has none, saves the first."""
        self._codec = codec
        self._optimizer = optimizer
        self._checkpointer = checkpointer
        self._team = team
        self._halvings = 0
        state = None if checkpointer is None else self._from_first(checkpointer.restore)
        self.step = 0 if state is None else self._load(state)
        """Updates done when training went on."""
        if checkpointer is not None and state is None and team.rank == 0:
            checkpointer.save(self._state(0))

    @property
    def mishaps(self) -> Mishaps:
        """What went wrong so far; asking waits for a GPU."""
        return Mishaps(int(self._optimizer.skipped), self._halvings)

    def slowed(self, learning_rate: float) -> float:
        """The learning rate, as often halved as the stage has diverged."""
        return learning_rate / 2**self._halvings

    def lost(self, step: int, steps: int) -> bool:
        """Whether so many updates were left out, of those up to a step, that the stage has diverged."""
        skipped, streak = int(self._optimizer.skipped), int(self._optimizer.streak)
        patience = min(STREAK, max(3, round(SHARE * steps)))
        return streak >= patience or skipped > max(STREAK, SHARE * step) or skipped == step

    def maybe_save(self, step: int, ending: bool) -> None:
        """Saves the state when it is time, or the stage is to be left half done; not while training goes wrong."""
        if self._checkpointer is None or self._team.rank > 0 or not (ending or self._checkpointer.due()):
            return
        if not self._optimizer.streak:
            self._checkpointer.save(self._state(step))

    def roll_back(self, reason: str) -> int:
        """Goes back to the last state from which training went on well, at half the learning rate; returns its step.

        Raises:
            DivergedError: for the `reason`, after so many times.
        """
        halvings = self._halvings + 1
        if self._checkpointer is None or halvings > HALVINGS:
            raise DivergedError(reason)
        state = self._from_first(lambda: self._good(halvings))
        if state is None:
            raise DivergedError(reason)
        return self._load(state)

    def _good(self, halvings: int) -> TrainingState | None:
        """The last state from which training went on well, kept as one that has been halved so often."""
        assert self._checkpointer is not None, "without one nothing is rolled back"
        self._checkpointer.drop_last()
        state = self._checkpointer.restore()
        if state is not None:
            state = state._replace(halvings=halvings)
            self._checkpointer.save(state)
        return state

    def _from_first(self, state: Callable[[], TrainingState | None]) -> TrainingState | None:
        """The first member's state: the others may see older files than it does, or none, and would not be in step."""
        return self._team.from_first(state() if self._team.rank == 0 else None)

    def _state(self, step: int) -> TrainingState:
        return TrainingState(step, self._codec.state_dict(), self._optimizer.state_dict(), *self.mishaps)

    def _load(self, state: TrainingState) -> int:
        self._codec.load_state_dict(state.codec)
        self._optimizer.load_state_dict(state.optimizer, state.skipped)
        self._halvings = state.halvings
        return state.step
