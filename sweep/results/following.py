"""Runs on a store: where they are here, and how the store follows while a sweep works on one.

While the store does not answer, the sweep goes on, and what the store has missed is copied later.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from datagen import remote
from datagen.errors import reason
from datagen.remote import FAILURES
from sweep.errors import SweepError
from sweep.results.mirror import Mirror

SECONDS = 10.0
"""Between two looks for what has changed."""
PATIENCE = 120.0
"""Most seconds between two tries while the store does not answer."""


def here(path: Path) -> Path:
    """The folder of a run: the path itself, or, of an address, runs/NAME with what the store has of the run.

    Raises:
        SweepError: the store does not answer, or `Mirror.pull` raises one.
        DataError: as `Mirror`.
    """
    address = remote.address(path)
    if address is None:
        return path
    folder = remote.here(path, "runs")
    with _answering(address):
        Mirror(folder, address).pull()
    return folder


@contextmanager
def kept(folder: Path, address: str | None, say: Callable[[str], None]) -> Generator[None]:
    """In the block, the store follows the folder; after it, the store has all. Without an address, nothing.

    While the store does not answer, the block goes on, and what it has missed is copied later.

    Args:
        say: told when the store does not answer, and when it does again.

    Raises:
        SweepError: another sweep is at work on the run there, or the store does not answer at the beginning.
        DataError: as `Mirror`.
    """
    if address is None:
        yield
        return
    mirror = Mirror(folder, address)
    with _answering(address):
        mirror.claim()
        mirror.push(at_work=True)
    follower = _Follower(mirror, address, say)
    follower.start()
    try:
        yield
    finally:
        follower.ended.set()
        # Ctrl-C leaves what is missing on the store to the next sweep.
        follower.join()


@contextmanager
def _answering(address: str) -> Generator[None]:
    try:
        yield
    except FAILURES as error:
        raise SweepError(f"{address} does not answer, or not to you: {reason(error)}") from error


class _Follower(threading.Thread):
    """Copies a folder to a store again and again, for the last time once `ended` is set."""

    def __init__(self, mirror: Mirror, address: str, say: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._mirror, self._address, self._say = mirror, address, say

    def run(self) -> None:
        ending = False
        while not ending:
            ending = self.ended.wait(SECONDS)
            self._copy(at_work=not ending)

    def _copy(self, at_work: bool) -> None:
        """Copies once, as soon as the store answers."""
        waited = 0.0
        while (complaint := self._failed(at_work)) is not None:
            if not waited:
                self._say(f"{self._address} does not answer; what it lacks is copied when it does ({complaint})")
            waited = min(2 * waited + SECONDS, PATIENCE)
            time.sleep(waited)
        if waited:
            self._say(f"{self._address} answers again, and has all")

    def _failed(self, at_work: bool) -> str | None:
        """Tries to copy; why that did not work, if it did not."""
        try:
            self._mirror.push(at_work=at_work)
        except FAILURES as error:
            return reason(error)
        return None
