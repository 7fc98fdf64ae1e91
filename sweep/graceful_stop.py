"""Ctrl-C: the first lets all that is under way save itself, the second ends it at once."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None
"""A handler, as Python's signal module takes and gives it."""


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
    """In the block, the first Ctrl-C or SIGTERM makes the stop file; the next one interrupts.

    Raises:
        KeyboardInterrupt: after the block, if the stop file exists.
    """
    file = stop_file(run)
    file.unlink(missing_ok=True)

    def request(number: int, frame: object) -> None:
        _handle(signal.default_int_handler)
        request_stop(run)
        say("saving what is under way, then ending; Ctrl-C again ends now")

    before = _handle(request)
    try:
        yield
        raise_if_stopped(run)
    finally:
        _handle(*before)
        file.unlink(missing_ok=True)


def raise_if_stopped(run: Path) -> None:
    """Interrupts the driver if it was asked to stop.

    Raises:
        KeyboardInterrupt: the stop file exists.
    """
    if stop_file(run).exists():
        raise KeyboardInterrupt


def _handle(*handlers: Handler) -> list[Handler]:
    """Sets the handlers of SIGINT and SIGTERM, one for both or one each; returns the handlers before."""
    signals = (signal.SIGINT, signal.SIGTERM)
    return [signal.signal(number, handler) for number, handler in zip(signals, handlers * 2, strict=False)]
