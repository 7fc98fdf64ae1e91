"""Memory: what this process and all that it started took at the peak, and what Ray ended for taking too much."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

SECONDS = 5.0
"""Between two looks."""
TAKEN = re.compile(r"actual memory used=([\d.]+)GB")
MACHINE = re.compile(r"([\d.]+)GB used / ([\d.]+)GB limit")
"""In what Ray's memory monitor says when it ends workers: what one took, and what of its machine's memory was taken."""


class PeakMemory:
    """The largest sum seen so far; memory that processes share counts once."""

    def __init__(self) -> None:
        self.bytes = 0

    def look(self) -> None:
        """Takes one sample."""
        process = psutil.Process()
        self.bytes = max(self.bytes, sum(map(_proportional, [process, *process.children(recursive=True)])))


@contextmanager
def peak_memory() -> Iterator[PeakMemory]:
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


def ended(said: str) -> str | None:
    """Why Ray's memory monitor ended a worker, and what to lower, by the text of an error; None where it ended none."""
    taken, machine = TAKEN.findall(said), MACHINE.findall(said)
    if not (taken and machine):
        return None
    used, limit = machine[-1]
    return (
        f"a worker that took {max(map(float, taken)):.2f} GiB was ended again and again, "
        f"for {used} of {limit} GiB of its machine's memory were taken; close other programs, let fewer work at a time "
        "(ray start --head --num-cpus N, then RAY_ADDRESS=auto), or start another --out with a smaller batch_size "
        "(sweep/presets.py)"
    )
