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
    target: Path


def find(source: str, target: Path, endings: Collection[str], ending: str) -> list[Job]:
    """The files that `source` names, by name.

    Args:
        source: a file; a folder, whose files with one of `endings` count, and those of the folders in it; or a pattern
            with * ? or [].
        target: the result of a file, or a folder for it; of several files a folder, which is filled as theirs is.
        ending: of a result in a folder, dot included.

    Raises:
        FormatError: there is no such file, or two of them would have one result.
    """
    files, root = _files(source, endings)
    if files == [root]:
        return [Job(root, target / f"{root.stem}{ending}" if target.is_dir() else target)]
    if not files:
        raise FormatError(f"{source} names no file; give a file, a folder, or a pattern in quotes")
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
            except ModelError as error:
                failed += 1
                progress.console.print(f"failed: {error}", markup=False)
    if failed:
        raise ModelError(f"{failed} of {len(jobs)} files failed; the lines above say why")


def _progress() -> Progress:
    """A bar on standard error, with what is printed above it; in a pipe or file, that stays on standard output."""
    return Progress(
        *(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
        console=Console(stderr=True, soft_wrap=True, highlight=False),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )


def _files(source: str, endings: Collection[str]) -> tuple[list[Path], Path]:
    """The files, and the folder that their places are told from; of one file itself."""
    path = Path(source)
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix.casefold() in endings), path
    if path.exists() or not glob.has_magic(source):
        return [path], path
    root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
    return sorted(file for file in root.glob(str(path.relative_to(root))) if file.is_file()), root
