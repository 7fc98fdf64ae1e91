"""Command line: choose a point and export its codec, or the conditioned codec with a dial over the front.

python -m sweep.pick RUN --max-bpp 0.1 --out model.pt
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import tyro

from datagen.errors import DataError
from models.console import ended
from models.errors import ModelError
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.results import card, choosing, dial_card, export, intervals, points
from sweep.results.folder import RunFolder
from sweep.results.intervals import Bounds
from sweep.results.point import Point

WISHES = ("max_bpp", "min_accuracy", "knee", "point", "dial")
"""Arguments of which one is given."""


def _as(metavar: str) -> Any:
    """An option whose text tells that it may be left out."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Exports the codec of one point, or one model file with a dial for every rate, with a model card beside it.

    Give exactly one of --max-bpp, --min-accuracy, --knee, --point and --dial. Points are chosen by rate and accuracy on
    the validation images. What is printed and what the card says, model.md beside model.pt, was measured on the test
    images, with 95 % intervals: the chosen point, and its neighbors on the front.
    """

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run, or its address on a store."""
    max_bpp: Annotated[float | None, _as("BPP")] = None
    """The most accurate point of the front that takes at most so many bits per pixel: whole file, mean over images."""
    min_accuracy: Annotated[float | None, _as("0..1")] = None
    """The point of the front with the lowest rate that reads at least so well."""
    knee: bool = False
    """The point of the front farthest above the chord between the front's two ends, in the plane of log rate and
    accuracy: up to there, bits buy much accuracy."""
    point: Annotated[str | None, _as("ID")] = None
    """The complete trained point of that id, on the front or not; the beginning of the id is enough."""
    dial: bool = False
    """The conditioned codec itself: compress then takes --bpp or --quality for each image."""
    out: Path
    """Model file to write, for python -m models."""
    register: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """Also register the codec in MLflow, as the newest version of the model of this name."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.pick", config=STYLE)
    try:
        _check(arguments)
        beside = card.place(arguments.out)
        run = RunFolder.load(arguments.run)
        lines = _dial(run, arguments, beside) if arguments.dial else _point(run, arguments, beside)
        print("\n".join(lines))
    except (SweepError, ModelError, DataError) as error:
        return complain(error)
    return 0


def _check(arguments: Arguments) -> None:
    options = {f"--{name.replace('_', '-')}": getattr(arguments, name) for name in WISHES}
    given = [option for option, value in options.items() if value is not None and value is not False]
    if len(given) != 1:
        raise SweepError(f"give exactly one of {', '.join(options)}; given: {', '.join(given) or 'none'}")
    if arguments.max_bpp is not None and not 0 < arguments.max_bpp < math.inf:
        raise SweepError(f"--max-bpp {arguments.max_bpp:g} must be a number above 0")
    if arguments.min_accuracy is not None and not 0 <= arguments.min_accuracy <= 1:
        raise SweepError(f"--min-accuracy {arguments.min_accuracy:g} must be a share of the characters, 0 to 1")
    if arguments.dial and arguments.register is not None:
        raise SweepError(f"--register {arguments.register} registers a codec of one rate; give --max-bpp with it")


def _point(run: RunFolder, arguments: Arguments, beside: Path) -> list[str]:
    """Exports the codec of a point; returns what to say."""
    frame, bounds = points.read(run.path), intervals.by_id(run)
    front = choosing.front_of(frame)
    chosen = _chosen(frame, front, arguments)
    model = export.trained(run, chosen)
    export.write(model, arguments.out)
    card.write(card.of_point(run, frame, bounds, chosen, model, arguments.out), beside)
    below, above = choosing.neighbors(front, chosen)
    bpp, accuracy = choosing.judged(chosen)
    return [
        f"chosen on validation images, at {bpp:.4f} bpp and accuracy {accuracy:.3f}; on test images"
        + (", with 95 % intervals:" if bounds else ":"),
        *_table([("below", below), ("chosen", chosen), ("above", above)], bounds),
        f"{arguments.out}: {chosen.identity.kind} point {chosen.point_id}; model card: {beside}",
        *_registered(run, chosen, arguments),
    ]


def _registered(run: RunFolder, point: Point, arguments: Arguments) -> list[str]:
    """A line on the model in MLflow, if it is to be there."""
    if arguments.register is None:
        return []
    # MLflow takes seconds to import.
    from sweep.tracking.registering import register

    return [f"MLflow has it as {register(run, point, arguments.out, arguments.register)}"]


def _chosen(frame: pl.DataFrame, front: Sequence[Point], arguments: Arguments) -> Point:
    if arguments.max_bpp is not None:
        return choosing.within(front, arguments.max_bpp)
    if arguments.min_accuracy is not None:
        return choosing.reaching(front, arguments.min_accuracy)
    return choosing.knee(front) if arguments.point is None else choosing.named(frame, arguments.point)


def _table(shown: Sequence[tuple[str, Point | None]], bounds: Bounds) -> list[str]:
    """Lines of points, in columns."""
    rows = [("", "point", "bpp", "accuracy")] + [
        (where, point.point_id, intervals.shown(point, "bpp", bounds), intervals.shown(point, "accuracy", bounds))
        if point
        else (where, "none on the front", "", "")
        for where, point in shown
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _dial(run: RunFolder, arguments: Arguments, beside: Path) -> list[str]:
    """Exports the conditioned codec; returns what to say."""
    frame = points.read(run.path)
    model = export.dial(run, frame.filter("on_front"))
    export.write(model, arguments.out)
    card.write(dial_card.of_dial(run, frame, model, arguments.out), beside)
    said = f"a dial from {model.facts['least_bpp']:.4f} to {model.facts['most_bpp']:.4f} bpp"
    return [f"{arguments.out}: {said}; model card: {beside}"]


if __name__ == "__main__":
    sys.exit(ended(main))
