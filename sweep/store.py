"""Command line: what a run, or all runs beside one another, have trained, and what of it nobody uses any more.

python -m sweep.store runs
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from models.console import ended
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.stages import checkpoint_file
from sweep.stages.nodes import FOLDER
from sweep.stages.store import SHARED
from sweep.tracking.display import clock


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Lists trained stages with their sizes, ages and the runs that use them.

    A stage that any run has trained is taken over by the next one beside it that needs the same.
    """

    folder: tyro.conf.Positional[Path]
    """A run's folder, or the folder that runs lie in."""
    prune: bool = False
    """Delete what no run uses: what is left of runs that were deleted, and what was set aside as damaged. Needs the
    folder that runs lie in."""


@dataclass(frozen=True)
class Entry:
    """A node's file."""

    path: Path
    users: tuple[str, ...]
    """Names of the runs that hold it."""

    def row(self, now: float) -> tuple[str, ...]:
        """Cells of the entry's row in the table."""
        stat = self.path.stat()
        size, age = f"{stat.st_size / 2**20:.1f} MiB", clock(now - stat.st_mtime)
        key, _, kind = self.path.name.partition(".")
        what = _what(self.path.with_suffix(".json")) if kind == "pt" else kind.replace("pt.", "")
        return key, what, size, age, ", ".join(self.users) or "-"


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.store", config=STYLE)
    console = Console()
    try:
        # What is beside `.` has no name.
        folder = Path(os.path.normpath(arguments.folder.absolute()))
        found = entries(folder)
        console.print(_table(found))
        if arguments.prune:
            console.print(f"{prune(folder)} deleted")
    except SweepError as error:
        return complain(error)
    return 0


def entries(folder: Path) -> list[Entry]:
    """What a run, or the runs in a folder, have trained, and what of it is damaged; the oldest first.

    Raises:
        SweepError: the folder is neither.
    """
    place = next((folder / name for name in (FOLDER, SHARED) if (folder / name).is_dir()), None)
    if place is None:
        raise SweepError(f"{folder} is no run's folder and holds none; give runs, or a folder in it")
    runs = folder.parent if place.name == FOLDER else folder
    nodes = [Entry(path, tuple(_users(runs, path.name))) for path in place.glob("[0-9a-f]*[0-9a-f].pt")]
    places = [place] if place.name == FOLDER else [place, *runs.glob(f"*/{FOLDER}")]
    damaged = [Entry(path, ()) for each in places for path in each.glob(f"*{checkpoint_file.ASIDE}")]
    return sorted([*nodes, *damaged], key=lambda entry: entry.path.stat().st_mtime)


def prune(folder: Path) -> int:
    """Deletes the nodes that no run in the folder holds, and what is damaged; returns how many there were.

    Raises:
        SweepError: the folder is one run's.
    """
    if (folder / FOLDER).is_dir():
        raise SweepError(f"{folder} is one run, which uses what it holds; delete the run, then prune {folder.parent}")
    unused = [entry.path for entry in entries(folder) if not entry.users]
    for path in unused:
        path.unlink()
        if path.suffix == ".pt":
            path.with_suffix(".json").unlink(missing_ok=True)
    return len(unused)


def _users(runs: Path, name: str) -> list[str]:
    return sorted(path.parent.parent.name for path in runs.glob(f"*/{FOLDER}/{name}"))


def _what(description: Path) -> str:
    """A line that says what was trained."""
    try:
        return _said(json.loads(description.read_text()))
    # Other versions described nodes otherwise.
    except (OSError, ValueError, KeyError, TypeError):
        return "?"


def _said(node: dict[str, Any]) -> str:
    stage, conditioned = node["stage"], node["plane"] is not None
    kind = "stage 2" if node["recognizer"] else "stage 1"
    weights = "all λ, β" if conditioned else f"λ {stage['rate_weight']:.3g}, β {stage['ocr_weight']:.3g}"
    return f"{node['codec']}, {kind}, {weights}, {stage['steps']} steps"


def _table(found: list[Entry]) -> Table:
    size = sum(entry.path.stat().st_size for entry in found) / 2**20
    table = Table("node", "what", "size", "age", "used by", title=f"{len(found)} trained stages, {size:.0f} MiB")
    now = time.time()
    for entry in found:
        table.add_row(*entry.row(now))
    return table


if __name__ == "__main__":
    sys.exit(ended(main))
