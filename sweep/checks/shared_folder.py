"""Whether the run's folder can be written, and all machines see in it what one of them writes."""

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from filelock import Timeout

from datagen.errors import reason
from datagen.files import atomic, file_lock
from sweep.checks.finding import Finding

SHOW_SECONDS = 10.0
"""How long a file may not show on a machine that another one has written."""
MOUNT = "mount one storage at this path on every machine (docs/cluster.md), or give an --out that is on it"
DRIVER = "driver"
"""The file that whoever starts the checks has written."""


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
        # Workers may be another user's.
        folder.chmod(0o777)
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)
    finally:
        for each in made:
            if each.is_dir() and not any(each.iterdir()):
                each.rmdir()


def write(folder: Path, name: str) -> Finding:
    """Writes a file, reads it, replaces it by another one as a whole, and locks one."""
    path = folder / name
    try:
        for content in ("first", name):
            with atomic(path) as partial:
                partial.write_text(content)
            if path.read_text() != content:
                return Finding("FAIL", "store", f"{path} does not hold what was written to it", "give another --out")
        with file_lock(folder / f"{name}.lock", timeout=0):
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


def shared(folder: Path, name: str) -> Finding:
    """On a node: whether it sees what the driver has written; then `write`, and a lock that the driver holds."""
    if not shows(folder, {DRIVER}):
        return Finding(
            "FAIL",
            "store",
            f"{folder.parent} is not the folder that the driver writes to",
            MOUNT,
        )
    found = write(folder, name)
    if found.status == "ok" and not _locked(folder):
        fix = "let no two sweeps that share runs train at a time: each would train what the other does"
        return Finding("warn", "store", f"{found.found}, but locks do not hold between machines", fix)
    return found


@contextmanager
def written_by_driver(folder: Path) -> Generator[None]:
    """In the block, the nodes find the driver's file, and a lock that it holds."""
    with file_lock(folder / "held", timeout=0), atomic(folder / DRIVER) as partial:
        partial.write_text(DRIVER)
    with file_lock(folder / "held", timeout=0):
        yield


def _locked(folder: Path) -> bool:
    try:
        with file_lock(folder / "held", timeout=0):
            return False
    except Timeout:
        return True


def shows(folder: Path, names: set[str]) -> bool:
    """Whether the folder has all of these files, in the time that a network's file system may take."""
    return not missing(folder, names)


def missing(folder: Path, names: set[str]) -> set[str]:
    """Which of the files do not show in time."""
    late = time.monotonic() + SHOW_SECONDS
    while left := {name for name in names if not (folder / name).exists()}:
        if time.monotonic() > late:
            break
        time.sleep(0.1)
    return left
