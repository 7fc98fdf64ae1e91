"""Files as commands read and write them: whole or not at all, over earlier ones only where a command allows it."""

import errno
import hashlib
import os
import struct
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from models.errors import FormatError


@contextmanager
def atomic(path: Path) -> Generator[Path]:
    """A path to write to; it takes its final name only when the block ends without an error.

    Then the file is on the disk, where a loss of power leaves it whole, and so is its name.
    """
    # A name may be as long as a disk allows.
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    partial = path.with_name(f".{name}.{os.getpid()}.partial")
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


@contextmanager
def writing(path: Path) -> Generator[Path]:
    """A path to write to, as `atomic` gives it, in a folder that is made where it is missing.

    Raises:
        FormatError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as partial:
            yield partial
    # Pillow's writers raise all of these.
    except (OSError, ValueError, struct.error) as error:
        raise FormatError(f"{path} cannot be written ({getattr(error, 'strerror', None) or error})") from error


def read(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror})") from error


def check_target(target: Path, source: Path, replaceable: str | None = None) -> None:
    """Looks at where a result goes, before it is made.

    Raises:
        FormatError: a file stands there, which is the source or does not end in `replaceable`.
    """
    try:
        taken = target.exists() and (target.suffix != replaceable or target.samefile(source))
    # Whoever reads the one and writes the other says what is wrong with it.
    except OSError:
        return
    if taken:
        raise FormatError(f"{target} exists; choose another name or folder")
