"""The card of a dial: what the dial reaches at its stops, between the points of the front."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy.typing import NDArray

from models.files.model import QUALITIES, RateDial
from sweep.results import intervals, just_readable, misreadings, points, readings
from sweep.results.card_sections import joined, limits, made, number, steps, table, taught, use
from sweep.results.folder import RunFolder
from sweep.results.intervals import Interval, Resampled
from sweep.results.point import READER

Values = Float[NDArray[np.float64], " stops"]
WRONG = "substitutions"


def of_dial(run: RunFolder, frame: pl.DataFrame, dial: RateDial, file: Path) -> str:
    """The card of a dial, as the model in a file, with the table of the dial's stops along the front."""
    rows, pixels = readings.read(run.path), run.config.data.width * run.config.data.height
    return joined(
        f"# {file.name}",
        f"A codec for images of text, with a dial over the rates of the front of the run `{run.path.name}`.",
        "## What it reaches",
        f"At the stops of the dial: means over the {run.config.data.test} test images, of the front's points and "
        "linear in log rate between them, with 95 % intervals over images in brackets. A single image may take more or "
        "less. Substitutions are the share of letters and digits for which another is read; lost ones do not count.",
        _stops(frame, rows, dial, pixels),
        *_just_readable(frame, rows, pixels),
        made(run, dial, [steps(run.config.stage1.steps, run.config.stage2.steps), taught(run.config)]),
        use(run.config, file, " --bpp 0.1"),
        limits(run.config, taught=True),
    )


def _just_readable(frame: pl.DataFrame, rows: pl.DataFrame, pixels: int) -> list[str]:
    """What `--keep-reading` is worth, where the run has the readings of its points."""
    said = just_readable.said(just_readable.of_run(frame, rows, pixels))
    return [f"With `--keep-reading`, chosen among the points of the front: {said}"] if said else []


def _stops(frame: pl.DataFrame, rows: pl.DataFrame, dial: RateDial, pixels: int) -> str:
    """A table of the dial's stops, at equal distances of log rate along the front, and of the images as they are."""
    both = points.complete(frame, "tfic").filter("on_front"), points.complete(frame, "uncompressed").head(1)
    rows = rows.filter(pl.col("point_id").is_in(pl.concat(both)["point_id"].implode()))
    wrong = misreadings.compared(rows).group_by("point_id").agg(misreadings.share(WRONG) / 100)
    front, plain = (each.join(wrong, on="point_id", how="left", maintain_order="left") for each in both)
    others = [name for name in points.reader_columns(front) if not front[name].has_nulls()]
    columns = ["accuracy", *others, *([WRONG] if front[WRONG].count() else [])]
    rates: list[float] = front["bpp"].to_list()
    stops = np.exp(np.linspace(math.log(rates[0]), math.log(rates[-1]), len(dial.path)))
    found = [_along(rates, front[name].to_list(), stops) for name in columns]
    bounds = _bounds(intervals.resample(intervals.measured(rows, pixels)), front["point_id"].to_list(), stops)
    shares = np.linspace(QUALITIES[0], QUALITIES[-1], len(dial.path))
    body = [
        [f"{share:.0f}", *map("{:.4g}".format, weights), f"{bpp:.4f}", *_figures(values, bound)]
        for share, weights, bpp, bound, *values in zip(shares, dial.path, stops, bounds, *found, strict=True)
    ]
    last = [["uncompressed", "-", "-", "24", *_figures(row, None)] for row in plain.select(columns).iter_rows()]
    names = [name.removeprefix(READER) for name in others]
    head = "`--quality`", "λ", "β", "bpp", "accuracy", *names, *columns[1 + len(others) :]
    return table(head, [*body, *last])


def _along(rates: Sequence[float], values: Sequence[float], stops: Values) -> list[float]:
    """A figure of the front at the rates of the stops, linear in log rate between its points."""
    return np.interp(np.log(stops), np.log(rates), values).tolist()


def _bounds(resampled: Resampled, ids: Sequence[str], stops: Values) -> list[Interval | None]:
    """The interval of the accuracy at each stop; None where the run has no readings of the front."""
    if not {*ids} <= {*resampled.ids}:
        return [None] * len(stops)
    curves = map(sorted, resampled.curves(ids))
    drawn = np.array([_along([at.bpp for at in curve], [at.accuracy for at in curve], stops) for curve in curves])
    return [intervals.interval(column) for column in drawn.T]


def _figures(values: Iterable[float | None], bound: Interval | None) -> list[str]:
    """The accuracy with its interval, and what follows it."""
    first, *others = (number(value, 3) for value in values)
    within = "" if bound is None else f" ({bound.low:.3f} to {bound.high:.3f})"
    return [first + within, *others]
