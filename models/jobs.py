"""What a command works on: a file, or all of a folder or pattern, each with the place of its result."""

import glob
import sys
from collections import Counter
from collections.abc import Callable, Collection
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from models.errors import FormatError, ModelError


class Job(NamedTuple):
    """A file and what becomes of it."""

    source: Path
    target: Path = Path()
    """Of what is only read, none."""


def sources(source: str, endings: Collection[str]) -> list[Path]:
    """The files that `source` names, by name.

    Args:
        source: a file; a folder, whose files with one of `endings` count, and those of the folders in it; or a pattern
            with * ? or [], whose files count likewise.

    Raises:
        FormatError: there is no such file, or no such pattern.
    """
    return _files(source, endings)[0]


def find(source: str, target: Path, endings: Collection[str], ending: str) -> list[Job]:
    """The files of `sources`, and what becomes of each.

    Args:
        target: the result of a file, or a folder for it; of several files a folder, which is filled as theirs is.
        ending: of a result in a folder, dot included.

    Raises:
        FormatError: as `sources`, or two files would have one result.
    """
    files, root = _files(source, endings)
    if files == [root]:
        return [Job(root, _alone(root, target, ending))]
    found = [Job(file, target / file.relative_to(root).with_suffix(ending)) for file in files]
    [(twice, count)] = Counter(job.target for job in found).most_common(1)
    if count > 1:
        raise FormatError(
            f"{count} files would become {twice}; give them other names, or one kind of them by a pattern"
        )
    return found


def run(jobs: list[Job], work: Callable[[Job], str]) -> None:
    """Prints what `work` says of each. One that fails does not stop the others.

    Raises:
        ModelError: the only one has failed, or some have.
    """
    if len(jobs) == 1:
        print(work(jobs[0]))
        return
    failed = 0
    with _progress() as progress:
        for job in progress.track(jobs):
            try:
                print(work(job))
            # The last two: what one image asks of the memory, the next need not.
            except (ModelError, MemoryError, RuntimeError) as error:
                failed += 1
                progress.console.print(f"failed: {_line(job, error)}", markup=False)
    if failed:
        raise ModelError(f"{failed} of {len(jobs)} files failed; the lines above say why")


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
        *(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
        console=Console(stderr=True, soft_wrap=True, highlight=False),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )


def _alone(source: Path, target: Path, ending: str) -> Path:
    """What one file becomes."""
    try:
        return target / f"{source.stem}{ending}" if target.is_dir() else target
    except OSError as error:
        raise FormatError(f"{target} cannot be written ({error.strerror})") from None


def _files(source: str, endings: Collection[str]) -> tuple[list[Path], Path]:
    """The files, and the folder that their places are told from; of one file itself."""
    try:
        files, root = _matches(Path(source), endings)
    except OSError as error:
        raise FormatError(f"{source} cannot be read ({error.strerror})") from None
    # Of a pattern that pathlib does not take.
    except ValueError:
        kind = f"**/*{Path(source).suffix}"
        raise FormatError(f"{source} is no pattern: ** is a folder's whole name; write '{kind}'") from None
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
        matches = filter(Path.is_file, root.glob(str(path.relative_to(root))))
    return sorted(file for file in matches if file.suffix.casefold() in endings), root
