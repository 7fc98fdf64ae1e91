"""The figures of a run for papers, by matplotlib: rate plots, the plane of weights, reconstructions."""

# matplotlib leaves the methods of axes partly untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from typing import Any, cast

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sweep.reporting import curves, pictures
from sweep.reporting.contents import Contents
from sweep.reporting.curves import GREY, NO_BOUNDS, VERMILION, Curve
from sweep.reporting.pictures import Pictures, Said
from sweep.results import points

RIGHT, WRONG = "#00664b", "#b04a00"
MARKERS = {
    **{"circle": "o", "circle-open": "o", "square": "s", "triangle-up": "^", "triangle-down": "v"},
    **{"diamond": "D", "star": "*", "cross": "P", "x": "x"},
}
"""matplotlib's markers by plotly's names."""
DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
SIZES = {"star": 9, "circle": 7}
"""Points of a marker; others have 4.5."""


def front_figure(frame: pl.DataFrame, bounds: pl.DataFrame = NO_BOUNDS) -> Figure:
    """Accuracy over rate: the front, what it is chosen from, and what it is compared with.

    Args:
        bounds: of the points, as `intervals.of_points` gives them; drawn as a band along the front.
    """
    # The text itself takes a tenth of the least rate of an image, and would take half of the plot.
    images = frame.filter(pl.col("kind") != "text")
    figure = rates_figure(curves.accuracy(images, bounds), "accuracy of the recognizer")
    figure.axes[0].set_ylim(0, 1)
    return figure


def psnr_figure(frame: pl.DataFrame) -> Figure:
    """PSNR over rate of trained codecs."""
    return rates_figure(curves.psnr(frame), "PSNR, dB")


def rates_figure(found: Sequence[Curve], title: str) -> Figure:
    """Those of the curves that are not hidden, over rate."""
    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    shown = [curve for curve in found if not curve.hidden]
    for curve in shown:
        _draw(axes, curve)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_tick)
    axes.xaxis.set_minor_formatter(_tick)
    axes.tick_params(axis="x", which="both", labelsize=7)
    axes.set_xlabel("bits per pixel")
    axes.set_ylabel(title)
    axes.grid(alpha=0.25, which="both")
    if all(curve.level for curve in shown):
        # A log axis of nothing cannot be drawn.
        axes.set_xlim(0.01, 1)
    if shown:
        axes.legend(fontsize=8)
    return figure


def reliability_figure(found: Sequence[Curve]) -> Figure:
    """The share of readings that is right over confidence, with the line on which a calibrated recognizer lies."""
    figure = Figure(figsize=(5.5, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1, label="calibrated")
    for curve in found:
        _draw(axes, curve)
    axes.set_xlabel("mean confidence")
    axes.set_ylabel("share read right")
    axes.set_aspect("equal")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return figure


def _draw(axes: Axes, curve: Curve) -> None:
    dash = DASHES[curve.dash] if curve.dash else "none"
    if curve.level:
        axes.axhline(curve.points[curve.y][0], color=curve.color, linestyle=dash, linewidth=1.2, label=curve.name)
        return
    rows = curve.points
    marker = {"marker": MARKERS[curve.marker], "markersize": SIZES.get(curve.marker, 4.5)} if curve.marker else {}
    hollow = {"markerfacecolor": "none"} if curve.marker == "circle-open" else {}
    look: dict[str, Any] = {"color": curve.color, "linestyle": dash, "linewidth": 1.4, **marker, **hollow}
    axes.plot(rows[curve.x], rows[curve.y], label=curve.name, **look)
    if curve.banded:
        edges = rows["accuracy_low"], rows["accuracy_high"]
        axes.fill_between(rows["bpp"], *edges, color=curve.color, alpha=0.15, linewidth=0)


def _tick(rate: float, position: float) -> str:
    """The label of a tick, for six of the nine ticks of a decade: nine labels would overlap."""
    del position
    return f"{rate:g}" if f"{rate:e}"[0] in "123457" else ""


def plane_figure(contents: Contents) -> Figure:
    """The weights of all trials, colored by accuracy, with the front by rising rate."""
    figure = Figure(figsize=(6.5, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    trials, front = points.complete(contents.frame, "tfic"), contents.front.filter(kind="tfic")
    ring: dict[str, Any] = {"marker": "o", "markersize": 11, "markerfacecolor": "none", "label": "front, by rate"}
    axes.plot(front["lambda"], front["beta"], ":", color=VERMILION, linewidth=1, **ring)
    drawn = axes.scatter(trials["lambda"], trials["beta"], c=trials["accuracy"], cmap="cividis", s=28, label="trials")
    figure.colorbar(drawn, ax=axes, label="accuracy")
    if len(trials):
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlabel("λ, weight of the rate")
    axes.set_ylabel("β, weight of the OCR loss")
    axes.legend(fontsize=8)
    return figure


def reconstructions_figure(contents: Contents, found: Pictures) -> Figure:
    """Original, base and TFIC reconstructions at like rates, each with what was read in it."""
    plain = points.complete(contents.frame, "uncompressed")["point_id"].head(1)
    said = found.said.get(plain[0], []) if len(plain) else []
    kept = [(title, key) for title, key in pictures.pairs(contents) if key in found.restored]
    columns = [("original", found.originals, said)]
    columns += [(title, found.restored[key], found.said.get(key, [])) for title, key in kept]
    count = len(found.originals)
    figure = Figure(figsize=(2.9 * len(columns), 1.15 * count + 0.4), dpi=110, layout="constrained")
    grid = cast("NDArray[Any]", figure.subplots(count, len(columns), squeeze=False))
    for (title, images, said), column in zip(columns, grid.T, strict=True):
        column[0].set_title(title, fontsize=10)
        for axes, image in zip(column, images, strict=True):
            axes.imshow(image)
            axes.set_axis_off()
        for axes, reading in zip(column, said, strict=False):
            _caption(axes, reading)
    return figure


def _caption(axes: Axes, said: Said) -> None:
    color, sign = (RIGHT, "✓") if said.accuracy == 1 else (WRONG, "✗")
    below: dict[str, Any] = {"ha": "center", "va": "top", "transform": axes.transAxes}
    axes.text(0.5, -0.04, f"{sign} {said.read or '(nothing)'}", color=color, fontsize=9, parse_math=False, **below)
