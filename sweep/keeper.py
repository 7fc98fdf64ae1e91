"""A training stage's state in a file, which outlives its process."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from datagen.shards import atomic
from sweep.errors import Interrupted
from sweep.training import TrainingState


class FileKeeper:
    """Keeps a training stage's state in a file, replaced whole every so often, and once more when it is to end."""

    def __init__(self, path: Path, seconds: float, stop: Path | None = None) -> None:
        self._path = path
        self._seconds = seconds
        self._stop = stop
        self._saved = time.monotonic()

    def restore(self) -> TrainingState | None:
        """The state in the file, if there is one."""
        if not self._path.exists():
            return None
        return TrainingState(**torch.load(self._path, map_location="cpu", weights_only=True))

    def offer(self, state: Callable[[], TrainingState]) -> None:
        """Writes the state when the last one is old enough.

        Raises:
            Interrupted: the training is asked to end; the state is written.
        """
        ending = self._stop is not None and self._stop.exists()
        if not ending and time.monotonic() - self._saved < self._seconds:
            return
        with atomic(self._path) as partial:
            torch.save(state()._asdict(), partial)
        if ending:
            raise Interrupted
        self._saved = time.monotonic()

    def forget(self) -> None:
        """Removes the file of a finished stage."""
        self._path.unlink(missing_ok=True)
