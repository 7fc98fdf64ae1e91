"""What ends a command as Ctrl-C does: a scheduler's SIGTERM, and SIGHUP of a terminal or a connection that is gone."""

import os
import signal
import stat
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


def ending() -> list[signal.Signals]:
    """Signals that ask this process to end; without SIGHUP where nohup has it ignored."""
    asked = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return [each for each in asked if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]


def interrupt(number: int, frame: FrameType | None) -> None:
    """A handler of these signals that interrupts.

    Raises:
        KeyboardInterrupt: always.
    """
    leave_terminal(number)
    raise KeyboardInterrupt


def leave_terminal(number: int) -> None:
    """After SIGHUP, sends what is still printed nowhere: a terminal that is gone refuses it, in the midst of saving."""
    if number != signal.SIGHUP:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nowhere, stream)
    os.close(nowhere)


@contextmanager
def deaf_children() -> Generator[None]:
    """Processes that are started in the block outlive the terminal, to save what they do when this one asks them."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
