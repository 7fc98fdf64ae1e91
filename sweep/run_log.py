"""run.log in a run's folder: what Python's logging is told while a sweep works there, errors with their tracebacks."""

import logging
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sweep.errors import SweepError

NAME = "run.log"
LIBRARIES = ("ray", "mlflow", "alembic", "urllib3", "optuna")
"""Loggers that write to the file alone: the display tells in a line what fails."""
OURS = ("datagen", "models", "sweep")
"""Loggers whose information is written too, not only warnings."""
LINE = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")

logger = logging.getLogger(__name__)


@contextmanager
def opened(run: Path) -> Generator[None]:
    """In the block, a run's log goes on: warnings of all libraries, and the error that ends the block.

    Raises:
        SweepError: the file cannot be written.
    """
    with closing(_file(run / NAME)) as file, ExitStack() as changes:
        for name in (*LIBRARIES, __name__):
            changes.enter_context(_alone(logging.getLogger(name), file))
        for name in LIBRARIES:
            changes.enter_context(_level(logging.getLogger(name), logging.WARNING))
        for name in OURS:
            changes.enter_context(_level(logging.getLogger(name), logging.INFO))
        changes.enter_context(_beside(logging.getLogger(), file))
        logger.info("the sweep begins")
        try:
            yield
        except Exception:
            logger.exception("the sweep ends by an error")
            raise
        except KeyboardInterrupt:
            logger.info("the sweep is interrupted")
            raise
        logger.info("the sweep is done")


def _file(path: Path) -> logging.FileHandler:
    try:
        # A name on the disk may be of bytes that are no text.
        file = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SweepError(f"{path} cannot be written ({error.strerror}); delete it, and add --resume") from error
    file.setFormatter(LINE)
    return file


@contextmanager
def _alone(target: logging.Logger, file: logging.Handler) -> Generator[None]:
    """In the block, what a logger is told goes to the file and nowhere else."""
    handlers, propagate = target.handlers, target.propagate
    target.handlers, target.propagate = [file], False
    try:
        yield
    finally:
        target.handlers, target.propagate = handlers, propagate


@contextmanager
def _beside(root: logging.Logger, file: logging.Handler) -> Generator[None]:
    """In the block, what reaches the root logger goes to the file too; warnings stay on the terminal."""
    # Python writes there by itself only while nobody else handles a message.
    terminal: Sequence[logging.Handler] = [] if root.handlers or not logging.lastResort else [logging.lastResort]
    added = (file, *terminal)
    for handler in added:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in added:
            root.removeHandler(handler)


@contextmanager
def _level(target: logging.Logger, level: int) -> Generator[None]:
    before = target.level
    target.setLevel(level)
    try:
        yield
    finally:
        target.setLevel(before)
