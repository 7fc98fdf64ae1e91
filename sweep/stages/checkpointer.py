"""A training stage's states in files, which outlive its process."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from datagen.files import atomic
from sweep.stages import checkpoint_file
from sweep.training.checkpoint import TrainingState


class FileCheckpointer:
    """Keeps the last two states of a training stage, one every so often, each in a file that is replaced whole."""

    def __init__(self, path: Path, seconds: float, stop: Path | None = None) -> None:
        """The last state is at the `path`, KEY.partial.pt, and the one before beside it, KEY.earlier.pt."""
        self._path = path
        self._earlier = path.with_name(f"{path.name.partition('.')[0]}.earlier.pt")
        self._seconds = seconds
        self._stop = stop
        self._saved = time.monotonic()

    def restore(self) -> TrainingState | None:
        """The last state that is whole, if there is one; what is damaged is set aside."""
        last = self.last()
        return None if last is None else TrainingState(**checkpoint_file.load(last))

    def last(self) -> Path | None:
        """The file of the state that `restore` gives."""
        files = (self._path, self._earlier)
        return next((path for path in files if path.exists() and checkpoint_file.kept(path)), None)

    def stop_requested(self) -> bool:
        """Whether the file stands that says so."""
        return self._stop is not None and self._stop.exists()

    def due(self) -> bool:
        """Whether the last state is old enough."""
        return time.monotonic() - self._saved >= self._seconds

    def save(self, state: TrainingState) -> None:
        """Writes a state; the last one becomes the one before."""
        self.write(lambda partial: torch.save(state._asdict(), partial))
        self._saved = time.monotonic()

    def write(self, state: Callable[[Path], object]) -> None:
        """Has a state written to a path, which then is the last state's; the last one becomes the one before."""
        with atomic(self._path) as partial:
            state(partial)
            if self._path.exists():
                self._path.replace(self._earlier)

    def drop_last(self) -> None:
        """Forgets the last state where there is one before."""
        if self._earlier.exists():
            self._earlier.replace(self._path)

    def forget(self) -> None:
        """Removes the files of a finished stage."""
        for path in (self._path, self._earlier):
            path.unlink(missing_ok=True)
