"""Files that several processes share: written whole or not at all, and locked while one process works on them."""

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock

NONE = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a file system says that knows no locks, as a network's may."""


STALE = 3600.0
"""Seconds after which nobody writes to a half-written file any more."""


@contextmanager
def atomic(path: Path) -> Generator[Path]:
    """A path to write to; it takes its final name only when the block ends without an error.

    Then the file is on the disk, where a loss of power leaves it whole, and so is its name.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until a file, or a folder's names, are on the disk; some file systems cannot tell."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    finally:
        os.close(handle)


def forget_partials(folder: Path, of: str = "*", seconds: float = STALE) -> None:
    """Deletes what killed processes left half-written; a living one has been at it for less long.

    Args:
        of: a pattern of the names of what was to be written.
        seconds: how old it is at least.
    """
    for partial in folder.glob(f".{of}.partial"):
        if time.time() - partial.stat().st_mtime > seconds:
            partial.unlink(missing_ok=True)


def file_lock(path: Path, timeout: float = -1) -> BaseFileLock:
    """A lock that the system lets go of when its process dies.

    Where the file system knows none, a file that names its process; one that is dead loses it, if it was on this
    machine. Folders that are missing are made.

    Raises:
        OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if _locks(path.parent):
        return FileLock(path, timeout=timeout)
    return SoftFileLock(path.with_name(f"{path.name}.soft"), timeout=timeout)


def _locks(folder: Path) -> bool:
    with tempfile.TemporaryFile(dir=folder) as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in NONE
    return True
