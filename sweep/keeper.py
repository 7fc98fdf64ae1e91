"""A training stage's state in a file, which outlives its process."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from datagen.shards import atomic
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

    def asked_to_end(self) -> bool:
        """Whether the file stands that says so."""
        return self._stop is not None and self._stop.exists()

    def offer(self, state: Callable[[], TrainingState], ending: bool) -> None:
        """Writes the state when the last one is old enough, or the training is about to end."""
        if not ending and time.monotonic() - self._saved < self._seconds:
            return
        with atomic(self._path) as partial:
            torch.save(state()._asdict(), partial)
        self._saved = time.monotonic()

    def forget(self) -> None:
        """Removes the file of a finished stage."""
        self._path.unlink(missing_ok=True)
