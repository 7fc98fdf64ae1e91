"""Ctrl-C: the first lets all that is under way save itself, the second ends it at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def sign(run: Path) -> Path:
    """The file in a run's folder that asks its workers, wherever they are, to save what they do and end."""
    return run / "tune" / "stop"


def ask(run: Path) -> None:
    """Raises the sign."""
    file = sign(run)
    file.parent.mkdir(exist_ok=True)
    file.touch()


@contextmanager
def gentle(run: Path, say: Callable[[str], None]) -> Iterator[None]:
    """In the block, the first Ctrl-C or SIGTERM raises the sign; the next one interrupts.

    Raises:
        KeyboardInterrupt: after the block, if the sign stands.
    """
    file = sign(run)
    file.unlink(missing_ok=True)

    def raise_sign(number: int, frame: object) -> None:
        _handle(signal.default_int_handler)
        ask(run)
        say("saving what is under way, then ending; Ctrl-C again ends now")

    before = _handle(raise_sign)
    try:
        yield
        heed(run)
    finally:
        _handle(*before)
        file.unlink(missing_ok=True)


def heed(run: Path) -> None:
    """Interrupts the driver if the sign stands.

    Raises:
        KeyboardInterrupt: it does.
    """
    if sign(run).exists():
        raise KeyboardInterrupt


def _handle(*handlers: Callable | int | None) -> list:
    """Sets the handlers of SIGINT and SIGTERM, one for both or one each; returns those before."""
    signals = (signal.SIGINT, signal.SIGTERM)
    return [signal.signal(number, handler) for number, handler in zip(signals, handlers * 2, strict=False)]
