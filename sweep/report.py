"""A run's folder -> the front's plot, a picture of reconstructions, and a page that shows both.

python -m sweep.report RUN
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from datagen.errors import DataError
from models.console import ended
from models.errors import ModelError
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from models.recognizers.base import FrozenRecognizer
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.results import page
from sweep.results.folder import RunFolder


@dataclass(frozen=True)
class Arguments:
    """Draws a run's front and reconstructions again: front.png, reconstructions.png and report.html in its folder."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION", help_behavior_hint="")] = None
    """Your own recognizer, if the sweep was given one: it is imported and called, to read the reconstructions."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.report", config=STYLE)
    try:
        run = RunFolder.load(arguments.run)
        recognizer = _recognizer(run, arguments.recognizer)
        page.write(run, recognizer)
    except (SweepError, DataError, ModelError) as error:
        return complain(error)
    if recognizer is None:
        name = run.config.recognizers[0].name
        print(f"nobody reads the reconstructions: give --recognizer {name} to import and call it")
    print(page.summary(run))
    print(f"report: {run.path / 'report.html'}")
    return 0


def _recognizer(run: RunFolder, own: str | None) -> FrozenRecognizer | None:
    """The recognizer that guided the search; a user's only if the user names it: a run's folder does not choose what is
    imported.
    """
    recognizer_config = run.config.recognizers[0]
    if not recognizer_config.is_users:
        if own is not None:
            raise SweepError(f"{run.path} is read by {recognizer_config.name}; leave --recognizer {own} out")
        return ensemble.load([recognizer_config])
    return None if own is None else recognizers.load_identified(ensemble.identity([recognizer_config]), own=own)


if __name__ == "__main__":
    sys.exit(ended(main))
