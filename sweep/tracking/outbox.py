"""A queue on disk of entries for a store, which a thread sends in order while nothing waits for the thread."""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from datagen.files import atomic

LIMIT = 10_000
"""Waiting entries from which on the steps of curves are thinned out."""
PAUSE = 1.0
"""Seconds before a store that has failed is tried again; doubled each time it fails again."""
LONGEST = 60.0
"""The longest pause before a store is tried again, in seconds."""
TRIES = 2
"""Failures in a row after which an ending sweep waits no longer; a single one may have begun long before the end."""


class StoreError(Exception):
    """The store fails; it may answer later."""


class RefusedError(Exception):
    """The store will never take an entry."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """All that is written to one run at one time; writing an entry twice changes nothing."""

    point: dict[str, Any] | None = None
    """The columns that name the point whose run is written to; None for the run of the sweep itself."""
    time_ms: int = 0
    """Milliseconds of the Unix clock."""
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    step: int = 0
    params: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """MLflow's description of a data set, by split."""
    file: str | None = None
    """A file to copy, relative to the folder of the sweep, in the state in which it is when the entry is sent."""
    model: str | None = None
    """A model file to log as the point's model and then to delete, relative to the folder of the sweep."""
    tables: dict[str, dict[str, list[Any]]] = field(default_factory=dict[str, dict[str, list[Any]]])
    """Tables that MLflow's page shows of the run, by name of the file: values by column."""
    images: dict[str, str] = field(default_factory=dict[str, str])
    """PNG files in base64, by name in the grid of images that MLflow shows of the run."""
    status: str | None = None
    """The status of the run from then on, in MLflow's words."""
    curve: str | None = None
    """Names the curve of which these metrics are one step; None where the step must not be thinned out."""
    adds: bool = False
    """Whether this only adds to what was written: where the point has no run, because somebody has deleted it, none is
    made."""


class Outbox:
    """A queue in a folder. What one process could not send, the next one in the same folder does."""

    def __init__(self, folder: Path, send: Callable[[Entry], None], tell: Callable[[Exception], None]) -> None:
        """Reads what waits; `start` begins to send.

        Args:
            send: writes an entry to the store; raises StoreError where that fails, RefusedError where trying again is
                useless. Any other error is a mistake of ours: the next call of `put` or `settle` raises it.
            tell: called with the first error, and with each refusal.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._send = send
        self._tell = tell
        self._waiting = deque(_kept(folder))
        self._number = int(self._waiting[-1][0].stem) if self._waiting else 0
        self._failures = 0
        self._told = False
        self._mistake: Exception | None = None
        self._changed = threading.Condition()
        self._again = threading.Event()

    def start(self) -> None:
        """Sends from now on; the process may end meanwhile."""
        threading.Thread(target=self._work, name="outbox", daemon=True).start()

    def waiting(self) -> list[Entry]:
        """The entries that are not sent yet."""
        with self._changed:
            return [entry for _, entry in self._waiting]

    def put(self, entry: Entry) -> None:
        """Keeps an entry to be sent, in a file when this returns, in place of an equal entry that waits."""
        with self._changed:
            self._raise_mistake()
            self._withdraw(entry)
            self._number += 1
            path = self._folder / f"{self._number:012d}.json"
            with atomic(path) as partial:
                partial.write_text(json.dumps(asdict(entry)))
            self._waiting.append((path, entry))
            if len(self._waiting) > LIMIT:
                self._thin()
            self._changed.notify_all()

    def settle(self, seconds: float) -> int:
        """Waits until all is sent, the store fails, or so many seconds have passed; returns how many entries wait."""
        self._again.set()
        with self._changed:
            last = self._failures + TRIES
            self._changed.wait_for(lambda: not self._waiting or self._failures >= last or self._mistake, seconds)
            self._raise_mistake()
            return len(self._waiting)

    def _withdraw(self, entry: Entry) -> None:
        # An entry with a time of its own has no equal, and to compare thousands that wait takes long.
        if entry.time_ms:
            return
        # The first one may be under way.
        for path, other in [*islice(self._waiting, 1, None)]:
            if other == entry:
                self._waiting.remove((path, other))
                path.unlink(missing_ok=True)

    def _thin(self) -> None:
        """Leaves out every second waiting step of each curve."""
        seen: Counter[str | None] = Counter()
        kept: deque[tuple[Path, Entry]] = deque()
        for path, entry in self._waiting:
            seen[entry.curve] += 1
            if entry.curve is None or seen[entry.curve] % 2:
                kept.append((path, entry))
            else:
                path.unlink(missing_ok=True)
        self._waiting = kept

    def _raise_mistake(self) -> None:
        """Raises what ended the thread, once: what is put later waits for the next process."""
        mistake, self._mistake = self._mistake, None
        if mistake is not None:
            raise mistake

    def _work(self) -> None:
        try:
            while True:
                self._next()
        except Exception as error:
            with self._changed:
                self._mistake = error
                self._changed.notify_all()

    def _next(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            _, entry = self._waiting[0]
        try:
            self._send(entry)
        except StoreError as error:
            self._failed(error)
            return
        except RefusedError as error:
            self._tell(error)
        self._sent()

    def _sent(self) -> None:
        with self._changed:
            path, _ = self._waiting.popleft()
            path.unlink(missing_ok=True)
            self._failures = 0
            self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        if not self._told:
            self._tell(error)
        self._told = True
        with self._changed:
            self._failures += 1
            self._changed.notify_all()
        self._again.wait(min(LONGEST, PAUSE * 2 ** min(self._failures - 1, 10)))
        self._again.clear()


def _kept(folder: Path) -> Iterator[tuple[Path, Entry]]:
    """The entries of a folder, in order; one that a crash has cut off is none, nor one that a process, about to end,
    sends meanwhile."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield path, Entry(**json.loads(path.read_text()))
        except FileNotFoundError:
            continue
        except (ValueError, TypeError):
            path.rename(path.with_suffix(".damaged"))
