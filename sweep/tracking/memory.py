"""The most memory that a sweep takes: what this process and all that it started take, watched in a thread."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

SECONDS = 5.0
"""Seconds between two looks."""


class PeakMemory:
    """The largest sum seen so far; memory that processes share counts once."""

    def __init__(self) -> None:
        self.bytes = 0

    def look(self) -> None:
        """Takes one sample."""
        process = psutil.Process()
        self.bytes = max(self.bytes, sum(map(_proportional, [process, *process.children(recursive=True)])))


@contextmanager
def peak_memory() -> Generator[PeakMemory]:
    """Watches memory in a thread while the block runs; this machine only."""
    peak, stop = PeakMemory(), threading.Event()

    def watch() -> None:
        while not stop.wait(SECONDS):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _proportional(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    # Only Linux splits shared pages between the processes that map them.
    return getattr(memory, "pss", memory.uss)
