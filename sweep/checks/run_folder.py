"""Whether the run's folder can be written, on the machine that the sweep is started on."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from filelock import Timeout

from datagen.errors import reason
from datagen.files import atomic, file_lock
from sweep.checks.finding import Finding

NAME = "here"
"""The file that is written to try the folder."""


@contextmanager
def opened(out: Path) -> Generator[Path]:
    """A folder in `out` for the checks alone; whatever was made for it goes again.

    Raises:
        OSError: it cannot be written.
    """
    made = [each for each in (out, *out.parents) if not each.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=out))
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)
    finally:
        for each in made:
            if each.is_dir() and not any(each.iterdir()):
                each.rmdir()


def tried(out: Path) -> Finding:
    """Whether files can be written, replaced and locked in the folder, or in one that can be made there."""
    try:
        with opened(out) as folder:
            return write(folder)
    except OSError as error:
        return unwritable(out, error)


def write(folder: Path) -> Finding:
    """Writes a file, reads it, replaces it by another one as a whole, and locks one."""
    path = folder / NAME
    try:
        for content in ("first", "second"):
            with atomic(path) as partial:
                partial.write_text(content)
            if path.read_text() != content:
                return Finding("FAIL", "store", f"{path} does not hold what was written to it", "give another --out")
        with file_lock(folder / "lock", timeout=0):
            pass
    except (OSError, Timeout) as error:
        return unwritable(folder.parent, error)
    return Finding("ok", "store", f"{folder.parent} is written, read and renamed in")


def unwritable(out: Path, error: Exception) -> Finding:
    """What to say where the folder cannot be written."""
    return Finding(
        "FAIL",
        "store",
        f"{out} cannot be written ({reason(error)})",
        "give its user the right to write, or another --out",
    )
