"""Ctrl-C: the first lets all that is under way save itself, the second ends it at once."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from datagen import signals


def stop_file(run: Path) -> Path:
    """The file in a run's folder that asks all workers, wherever they are, to save what they do and end."""
    return run / "tune" / "stop"


def request_stop(run: Path) -> None:
    """Makes the stop file."""
    file = stop_file(run)
    file.parent.mkdir(exist_ok=True)
    file.touch()


@contextmanager
def on_signals(run: Path, say: Callable[[str], None]) -> Generator[None]:
    """In the block, the first Ctrl-C, SIGTERM or SIGHUP makes the stop file; the next one interrupts.

    Raises:
        KeyboardInterrupt: after the block, if the stop file exists.
    """
    file = stop_file(run)
    file.unlink(missing_ok=True)
    numbers = signals.ending()

    def request(number: int, frame: object) -> None:
        for each in numbers:
            # A shell passes on the SIGHUP that the terminal has sent already.
            signal.signal(each, signal.SIG_IGN if each == signal.SIGHUP else signals.interrupt)
        signals.leave_terminal(number)
        request_stop(run)
        say("saving what is under way, then ending; Ctrl-C again ends now")

    before = {number: signal.signal(number, request) for number in numbers}
    try:
        yield
        raise_if_stopped(run)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        file.unlink(missing_ok=True)


def raise_if_stopped(run: Path) -> None:
    """Interrupts the driver if it was asked to stop.

    Raises:
        KeyboardInterrupt: the stop file exists.
    """
    if stop_file(run).exists():
        raise KeyboardInterrupt
