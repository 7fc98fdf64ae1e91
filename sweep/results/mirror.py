"""A run's folder on a store such as S3: worked on here, and copied there as it changes."""

import json
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from datagen.files import atomic
from datagen.remote import Remote
from sweep.errors import SweepError

SILENCE = 300.0
"""Seconds without a word after which a sweep no longer counts as one at work."""
MARK = "mirror.json"
"""File on the store, written after all others."""
NOTE = ".mirror.json"
"""File in the folder: of what store it is a copy, how new, and what was copied."""
SCRATCH = "tune"
"""Folder of what Ray notes down, locks and the like."""
OURS = ("optuna.log", "readings", "mlflow")
"""What in it is the sweep's: what the search has learned, readings that are not merged yet, what waits for MLflow."""

Stamps = dict[str, tuple[int, int]]
"""When each file was changed, and its size, by its path in the folder."""


class Mark(NamedTuple):
    """What a store tells of a run."""

    generation: int = 0
    """How often the run was copied."""
    by: str | None = None
    """Who is at work on it."""
    at: float = 0.0
    """When that was written, in seconds since 1970."""


class Mirror:
    """A run's folder here, and the run on a store."""

    def __init__(self, folder: Path, address: str) -> None:
        """Opens the store.

        Raises:
            DataError: there is none at the address.
        """
        self._folder, self._address = folder, address
        self._there = Remote.of(address)
        self._me = uuid.uuid4().hex
        note = _json(folder / NOTE)
        self._is_copy = note.get("address") == address
        self._generation: int = note["generation"] if self._is_copy else 0
        self._copied: Stamps = {name: tuple(stamp) for name, stamp in note["copied"].items()} if self._is_copy else {}

    def pull(self) -> None:
        """Makes the folder what the store has, if that is newer.

        Raises:
            SweepError: the folder is no copy of it.
        """
        mark = self._mark()
        if mark.generation <= self._generation:
            return
        if not self._is_copy and _stamps(self._folder):
            raise SweepError(f"{self._folder} is no copy of {self._address}; move it away, or give another --out")
        for name in (each for each in self._there.names() if each != MARK):
            file = self._folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with atomic(file) as partial:
                partial.write_bytes(self._there.read(name))
        self._generation, self._copied = mark.generation, _stamps(self._folder)
        self._note()

    def claim(self) -> None:
        """Looks whether another sweep is at work on the run.

        Raises:
            SweepError: one is.
        """
        mark = self._mark()
        if mark.by not in (None, self._me) and time.time() - mark.at < SILENCE:
            raise SweepError(f"another sweep works on {self._address}; let it end, or start in another --out")

    def push(self, *, at_work: bool) -> None:
        """Copies what has changed, and deletes what is gone.

        Args:
            at_work: whether more will come.
        """
        now = _stamps(self._folder)
        for name in [name for name, stamp in now.items() if self._copied.get(name) != stamp]:
            self._there.write(name, (self._folder / name).read_bytes())
            self._copied[name] = now[name]
        for name in [*self._copied.keys() - now.keys()]:
            self._there.delete(name)
            del self._copied[name]
        self._generation += 1
        mark = Mark(self._generation, self._me if at_work else None, time.time())
        self._there.write(MARK, json.dumps(mark._asdict()).encode())
        self._note()

    def _mark(self) -> Mark:
        return Mark(**json.loads(self._there.read(MARK))) if self._there.has(MARK) else Mark()

    def _note(self) -> None:
        content = {"address": self._address, "generation": self._generation, "copied": self._copied}
        with atomic(self._folder / NOTE) as partial:
            partial.write_text(json.dumps(content))


def _stamps(folder: Path) -> Stamps:
    """Of the run's files: what is hidden is half written, or of this machine."""
    found: Stamps = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        ours = name.parts[0] != SCRATCH or name.parts[1:2] in [(each,) for each in OURS]
        with suppress(FileNotFoundError):
            if ours and path.is_file() and not path.name.startswith("."):
                stat = path.stat()
                found[name.as_posix()] = stat.st_mtime_ns, stat.st_size
    return found


def _json(file: Path) -> dict[str, Any]:
    """What a file holds; empty where there is none that can be read."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
