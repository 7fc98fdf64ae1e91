"""The curves of the rate plots, for plotly, matplotlib and CSV alike: which points, and how they are told apart.

Colors are those of Okabe and Ito, which the colorblind tell apart; marker and dash tell the curves apart without color.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from sweep.results import just_readable, points
from sweep.results.point import READER

Marker = Literal["circle", "circle-open", "square", "triangle-up", "triangle-down", "diamond", "star", "cross", "x"]
Dash = Literal["solid", "dash", "dot", "dashdot"]
VERMILION, SKY, ORANGE, GREEN = "#D55E00", "#56B4E9", "#E69F00", "#009E73"
PURPLE, BLUE, GREY = "#CC79A7", "#0072B2", "#8c8c8c"
MARKERS: tuple[Marker, ...] = ("triangle-down", "x", "diamond", "cross", "square", "triangle-up")
DASHES: tuple[Dash, ...] = ("dot", "dashdot", "dash")
HUES = (BLUE, GREEN, ORANGE, PURPLE, SKY)
"""Colors of single baselines."""
BOUNDS = ("bpp_low", "bpp_high", "accuracy_low", "accuracy_high")
NO_BOUNDS = pl.DataFrame(schema={"point_id": pl.String, **dict.fromkeys(BOUNDS, pl.Float64)})
"""Of a run without readings of single images."""
FURTHER: tuple[tuple[str, Marker, Dash], ...] = (
    (BLUE, "square", "dash"),
    (GREEN, "triangle-up", "dashdot"),
    (PURPLE, "diamond", "dot"),
)
"""How the fronts of further runs look."""
FACTS = ("point_id", "kind", "codec", "lambda", "beta")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points of one kind, by rising rate."""

    name: str
    points: pl.DataFrame
    """Rows of the run's table, with the bounds of the intervals where they are known."""
    color: str
    marker: Marker | None = None
    """None: a line alone."""
    dash: Dash | None = None
    """None: points alone."""
    x: str = "bpp"
    y: str = "accuracy"
    """The column that is drawn."""
    level: bool = False
    """Whether the only point stands for a line over all rates."""
    banded: bool = False
    """Whether the intervals are drawn as a band."""
    single: bool = False
    """Whether it is one of many baselines, which a page lists apart."""
    hidden: bool = False
    """Whether a page hides it at first; papers leave it out."""
    run: int = 0
    """Place of the curve's run among those of a report."""

    def table(self) -> pl.DataFrame:
        """The curve as rows of a CSV file."""
        bounds = BOUNDS if (self.x, self.y) == ("bpp", "accuracy") else ()
        figures = [pl.col(self.x).alias("bpp"), pl.col(self.y), *bounds]
        return self.points.select(pl.lit(self.name).alias("curve"), *FACTS, *figures)


def accuracy(frame: pl.DataFrame, bounds: pl.DataFrame = NO_BOUNDS) -> list[Curve]:
    """Accuracy over rate: the front, what it is chosen from, and all that it is compared with; single baselines last.

    Args:
        bounds: of the points, as `intervals.of_points` gives them.
    """
    rows = frame.join(bounds, on="point_id", how="left", maintain_order="left")
    found = [*_trained(rows), *_envelopes(rows), *_held_out(rows, points.reader_columns(frame))]
    kept = points.complete(rows, just_readable.ID)
    found.append(Curve(name="just readable, image by image", points=kept, color=BLUE, marker="cross"))
    text = points.complete(rows, "text")
    found.append(Curve(name="the text itself, read on the device", points=text, color=BLUE, marker="star"))
    plain = points.complete(rows, "uncompressed").head(1)
    found.append(Curve(name="uncompressed images", points=plain, color=GREY, dash="dash", level=True))
    return _drawable([*found, *_singles(rows)])


def psnr(frame: pl.DataFrame, bounds: pl.DataFrame = NO_BOUNDS) -> list[Curve]:
    """PSNR over rate of trained codecs, and of the single baselines."""
    rows = frame.join(bounds, on="point_id", how="left", maintain_order="left").drop_nulls("psnr_db")
    return _drawable([*_trained(rows, "psnr_db"), *_singles(rows, "psnr_db")])


def _drawable(found: list[Curve]) -> list[Curve]:
    """The curves that have points, without the points that lack a figure."""
    whole = (replace(curve, points=curve.points.drop_nulls([curve.x, curve.y])) for curve in found)
    return [curve for curve in whole if len(curve.points)]


def overlaid(runs: Sequence[tuple[str, list[Curve]]]) -> list[Curve]:
    """The curves of several runs in one plot, by the names of the runs: of the second run on, the front alone shows."""
    if len(runs) == 1:
        return runs[0][1]
    found = list[Curve]()
    for place, (name, curves) in enumerate(runs):
        for curve in curves:
            named = replace(curve, name=f"{name}: {curve.name}", run=place)
            found.append(_further(named) if place else named)
    return found


def _further(curve: Curve) -> Curve:
    if curve.color != VERMILION:
        return replace(curve, hidden=True)
    color, marker, dash = FURTHER[(curve.run - 1) % len(FURTHER)]
    return replace(curve, color=color, marker=marker, dash=dash)


def _trained(rows: pl.DataFrame, y: str = "accuracy") -> Iterator[Curve]:
    trials = points.complete(rows, "tfic").filter(~pl.col("on_front"))
    yield Curve(name="other TFIC trials", points=trials, color=SKY, marker="circle-open", y=y)
    base = points.complete(rows, "base")
    yield Curve(name="base codec (stage 1)", points=base, color=GREY, marker="square", dash="solid", y=y)
    front = rows.filter("on_front").sort("bpp")
    banded = y == "accuracy" and front["accuracy_low"].null_count() == 0
    named = "front, with 95 % band" if banded else "front"
    found = Curve(name=named, points=front, color=VERMILION, marker="circle", dash="solid", y=y, banded=banded)
    yield found
    own = replace(found, name="front, less repeated bytes", x="bpp_own", banded=False, hidden=True)
    yield replace(own, marker="circle-open", dash="dot")


def _envelopes(rows: pl.DataFrame) -> Iterator[Curve]:
    """The best baselines, chosen on the validation images, in both countings of bytes."""
    classical = points.complete(rows, "classical")
    best = points.chosen(classical)
    yield Curve(name="best without training", points=best, color=ORANGE, marker="diamond", dash="dash")
    own = points.chosen(classical.drop_nulls("bpp_own"), "own")
    name = "best without training, less repeated bytes"
    yield Curve(name=name, points=own, color=GREEN, marker="triangle-up", dash="dot", x="bpp_own")


def _held_out(rows: pl.DataFrame, columns: list[str]) -> Iterator[Curve]:
    """The front as readers read it that did not teach."""
    front = rows.filter("on_front").sort("bpp")
    for place, column in enumerate(columns):
        marker, dash = MARKERS[place % len(MARKERS)], DASHES[place % len(DASHES)]
        name = f"front as {column.removeprefix(READER)} reads it"
        yield Curve(name=name, points=front.drop_nulls(column), color=PURPLE, marker=marker, dash=dash, y=column)


def _singles(rows: pl.DataFrame, y: str = "accuracy") -> Iterator[Curve]:
    """Each baseline's curve."""
    classical = points.complete(rows, "classical")
    names = classical["codec"].drop_nulls().unique().sort()
    # Cycles of 5, 6 and 3: thirty curves before two look alike.
    for place, name in enumerate(names):
        color, marker, dash = HUES[place % len(HUES)], MARKERS[place % len(MARKERS)], DASHES[place % len(DASHES)]
        curve = classical.filter(pl.col("codec") == name)
        yield Curve(name=name, points=curve, color=color, marker=marker, dash=dash, y=y, single=True, hidden=True)
