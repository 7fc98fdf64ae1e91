"""What a command works on: a file, or all of a folder or pattern, each with the place of its result."""

import glob
import os
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from models.errors import FormatError, ModelError

ENDING, ARCHIVE = ".tfic", ".tfics"
"""Of a file of one image, and of many."""


class Job(NamedTuple):
    """A file and what becomes of it."""

    source: Path
    target: Path = Path()
    """The current folder where nothing is written, as for a file that is only read."""


def sources(source: str, endings: Collection[str]) -> list[Path]:
    """The files that `source` names, by name.

    Args:
        source: a file; a folder, whose files with one of `endings` count, and those of the folders in it, hidden ones
            aside; or a pattern with * ? or [], whose files count likewise.

    Raises:
        FormatError: there is no such file, or no such pattern.
    """
    return _files(source, endings)[0]


def find(source: str, target: str, endings: Collection[str], ending: str) -> list[Job]:
    """The files of `sources`, and what becomes of each.

    Args:
        target: the result of a file, or a folder for it, which exists or ends in a slash; of several files a folder,
            which is filled as theirs is.
        ending: of a result in a folder, dot included.

    Raises:
        FormatError: as `sources`, or two files would have one result, if only on a disk that does not tell capitals.
    """
    files, root = _files(source, endings)
    if files == [root]:
        return [Job(root, alone(root, target, ending))]
    found = [Job(file, Path(target) / file.relative_to(root).with_suffix(ending)) for file in files]
    [(name, count)] = Counter(_told(job.target) for job in found).most_common(1)
    if count > 1:
        twice = ", ".join(sorted({str(job.target) for job in found if _told(job.target) == name}))
        raise FormatError(
            f"{count} files would become {twice}; give them other names, or one kind of them by a pattern"
        )
    return found


def run(jobs: list[Job], work: Callable[[Job], str]) -> None:
    """Prints what `work` says of each. One that fails, for whatever reason, does not stop the others.

    Raises:
        ModelError: the only one has failed, or some have.
    """
    if len(jobs) == 1:
        print(_only(jobs[0], work))
        return
    failed = 0
    with _progress() as progress:
        for job in progress.track(jobs):
            try:
                said = work(job)
            except Exception as error:
                failed += 1
                progress.console.print(f"failed: {_line(job, error)}", markup=False)
            else:
                print(said)
    if failed:
        raise ModelError(f"{failed} of {len(jobs)} files failed; the lines above say why")


def _only(job: Job, work: Callable[[Job], str]) -> str:
    """What `work` says. Of what is no fault of the program, as little memory is, a line is all that there is to say."""
    try:
        return work(job)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        raise ModelError(f"{job.source} takes more memory than there is; cut it up, or use another machine") from error


def _line(job: Job, error: Exception) -> str:
    """What went wrong, with the file's name."""
    if isinstance(error, ModelError):
        return str(error) if str(error).startswith(str(job.source)) else f"{job.source}: {error}"
    # torch's own reasons run over many lines.
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{job.source} ({reason}); give it alone for the whole report, or cut it up if it is large"


def _progress() -> Progress:
    """A bar on standard error, with what is printed above it; in a pipe or file, that stays on standard output."""
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, soft_wrap=True, highlight=False),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )


def _told(path: Path) -> str:
    """A path in the form that is equal for all names that some disk takes for one, as capitals and small letters."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def alone(source: Path, target: str, ending: str) -> Path:
    """What one file becomes: `target`, or in a folder of that name a file with its own name and `ending`.

    Raises:
        FormatError: there is nothing that can be written to.
    """
    try:
        folder = target.endswith(os.sep) or Path(target).is_dir()
        return Path(target, f"{source.stem}{ending}") if folder else Path(target)
    except OSError as error:
        raise FormatError(f"{target} cannot be written ({error.strerror})") from error


def _files(source: str, endings: Collection[str]) -> tuple[list[Path], Path]:
    """The files, and the folder that their places are told from; of one file itself."""
    try:
        files, root = _matches(Path(source), endings)
    except OSError as error:
        raise FormatError(f"{source} cannot be read ({error.strerror})") from error
    # Of a pattern that pathlib does not take.
    except ValueError as error:
        kind = f"**/*{Path(source).suffix}"
        raise FormatError(f"{source} is no pattern: ** is a folder's whole name; write '{kind}'") from error
    if not files:
        raise FormatError(
            f"{source} names no file with an ending that is read here; "
            "give a file itself, a folder, or a pattern in quotes"
        )
    return files, root


def _matches(path: Path, endings: Collection[str]) -> tuple[list[Path], Path]:
    if path.is_dir():
        root, matches = path, path.rglob("*")
    elif path.exists() or not glob.has_magic(str(path)):
        return [path], path
    else:
        root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
        matches = root.glob(str(path.relative_to(root)))
    # Hidden ones are what a system or a program keeps beside the files.
    shown = (file for file in matches if not any(part.startswith(".") for part in file.relative_to(root).parts))
    return sorted(file for file in shown if file.suffix.casefold() in endings and file.is_file()), root
