"""A run's folder -> report.html, the two pictures of the run, and figures for papers; or one page of several runs.

python -m sweep.report RUN [RUN ...]
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from datagen import remote
from datagen.errors import DataError
from models.console import ended
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.reporting import page, write
from sweep.results.folder import RunFolder


@dataclass(frozen=True)
class Arguments:
    """Draws a run's report again: report.html, figures/, front.png and reconstructions.png in its folder. Of several
    runs, one page that lays their fronts over one another.
    """

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of finished or unfinished runs, or their addresses on a store."""
    out: Path | None = None
    """The page of several runs, instead of report.html in the first run's folder."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.report", config=STYLE)
    try:
        print(_written(arguments))
    except (SweepError, DataError) as error:
        return complain(error)
    return 0


def _written(arguments: Arguments) -> str:
    """Writes what is asked for, and says what is in it and where it is."""
    if not arguments.runs:
        raise SweepError("no run is named; give the folder of one or more, such as runs/cpu")
    runs = [RunFolder.load(run) for run in arguments.runs]
    if len(runs) == 1 and arguments.out is not None:
        raise SweepError(f"--out {arguments.out} is for several runs; the report of one lies in its folder")
    out = arguments.out or remote.here(arguments.runs[0], "runs") / page.NAME
    said = write.whole(runs[0]) if len(runs) == 1 else write.several(runs, out)
    return f"{said}\nreport: {out}"


if __name__ == "__main__":
    sys.exit(ended(main))
