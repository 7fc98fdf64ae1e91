"""Command line: choose a point of the front and export its codec, or the conditioned codec with a dial over all of it.

python -m sweep.pick RUN --max-bpp 0.1 --out model.pt
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from models.console import ended
from models.errors import ModelError
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.results import export, points
from sweep.results.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Exports the codec of the most accurate point within a rate, or one model file with a dial for every rate."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run."""
    max_bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP", help_behavior_hint="")] = None
    """Most bits per pixel, whole file, mean over the test images."""
    dial: bool = False
    """Export the conditioned codec itself: compress then takes --bpp or --quality for each image."""
    out: Path
    """Model file to write, for python -m models."""
    register: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """Also register the codec in MLflow, as the newest version of the model of this name."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.pick", config=STYLE)
    try:
        print(f"{arguments.out}: {_picked(arguments)}")
    except (SweepError, ModelError) as error:
        return complain(error)
    return 0


def _picked(arguments: Arguments) -> str:
    if arguments.dial == (arguments.max_bpp is not None):
        raise SweepError("give either --max-bpp, for a codec of one rate, or --dial, for one of every rate")
    if arguments.max_bpp is not None and not 0 < arguments.max_bpp < math.inf:
        raise SweepError(f"--max-bpp {arguments.max_bpp:g} must be a number above 0")
    if arguments.dial and arguments.register is not None:
        raise SweepError(f"--register {arguments.register} registers a codec of one rate; give --max-bpp with it")
    run = RunFolder.load(arguments.run)
    front = points.read(run.path).filter("on_front")
    point = None if arguments.max_bpp is None else export.choose(front, arguments.max_bpp)
    if point is None:
        model = export.dial(run, front)
        said = f"a dial from {model.facts['least_bpp']:.4f} to {model.facts['most_bpp']:.4f} bpp"
    else:
        model = export.trained(run, point)
        measured = point.measured
        said = f"{point.identity.kind} point {point.point_id}, {measured.bpp:.4f} bpp, accuracy {measured.accuracy:.3f}"
    export.write(model, arguments.out)
    if arguments.register is not None and point is not None:
        # MLflow takes seconds to import.
        from sweep.tracking.registering import register

        said += f"; MLflow has it as {register(run, point, arguments.out, arguments.register)}"
    return said


if __name__ == "__main__":
    sys.exit(ended(main))
