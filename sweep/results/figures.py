"""The pictures of a run: its front, and reconstructions with what was read in them."""

# matplotlib leaves the methods of axes partly untyped.
# pyright: reportUnknownMemberType=false

import itertools
import logging
from collections.abc import Iterator
from typing import Any, cast

import polars as pl
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from datagen.dataset import TextImages
from models.files import tfic
from models.files.model import TrainedCodec
from models.metrics import accuracy
from models.recognizers.base import FrozenRecognizer
from sweep.errors import SweepError
from sweep.results import export, points
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives
from sweep.results.point import READER, Point
from sweep.results.points import Counting

logger = logging.getLogger(__name__)

BASE, TFIC, FRONT, CLASSICAL, OTHER = "#7f7f7f", "#5fa8d3", "#c1121f", "#e09f3e", "#6a4c93"
RIGHT, WRONG = "#2d6a4f", "#c1121f"
ENVELOPES: dict[Counting, tuple[str, str]] = {
    "whole": ("s-", "the best without training"),
    "own": ("s--", "the best without training, without repeated bytes"),
}
"""How each counting is drawn, and what the legend says."""
IMAGES = 5
"""Rows of the picture of reconstructions: the first of the test split, whatever they show."""
RATES = 3
"""Pairs of columns of the picture of reconstructions: a base point beside the nearest TFIC point of the front."""


def front_figure(frame: pl.DataFrame, bounds: pl.DataFrame | None = None) -> Figure:
    """Accuracy over rate: TFIC points, the front, and what it is compared with.

    That is the base curve, the uncompressed images' accuracy, the envelope of what needs no training, and the front as
    other readers read it.

    Args:
        bounds: of the points' accuracies, as `intervals.of_points` gives them; drawn as a band along the front.
    """
    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    base, trials = points.complete(frame, "base"), points.complete(frame, "tfic")
    front = frame.filter("on_front").sort("bpp")
    for counting, (style, label) in ENVELOPES.items():
        rates, accuracies = _columns(points.envelope(frame, counting))
        axes.plot(rates, accuracies, style, color=CLASSICAL, markersize=4, label=label)
    axes.plot(base["bpp"], base["accuracy"], "o-", color=BASE, label="base codec (stage 1)")
    axes.scatter(trials["bpp"], trials["accuracy"], color=TFIC, s=22, alpha=0.7, label="TFIC (stage 2)")
    axes.step(front["bpp"], front["accuracy"], where="post", color=FRONT, linewidth=1.6, label="Pareto front")
    axes.scatter(front["bpp"], front["accuracy"], facecolors="none", edgecolors=FRONT, s=48)
    if bounds is not None:
        band = front.join(bounds, on="point_id").sort("bpp")
        edges = band["accuracy_low"], band["accuracy_high"]
        axes.fill_between(band["bpp"], *edges, color=FRONT, alpha=0.12, linewidth=0, label="95 % interval of the front")
    for column, marker in zip(points.reader_columns(front), itertools.cycle("^vD<>"), strict=False):
        read = front.drop_nulls(column)
        label = f"the front as {column.removeprefix(READER)} reads it"
        axes.plot(read["bpp"], read[column], ":", marker=marker, color=OTHER, markersize=4, linewidth=1, label=label)
    uncompressed = points.uncompressed_accuracy(frame)
    if uncompressed is not None:
        axes.axhline(uncompressed, color="black", linestyle="--", linewidth=1, label="uncompressed")
    _label(axes)
    if points.complete(frame, "classical").is_empty() and base.is_empty() and trials.is_empty():
        # A log axis of nothing cannot be drawn.
        axes.set_xlim(0.01, 1)
    return figure


def _columns(curve: list[Objectives]) -> tuple[list[float], list[float]]:
    return [point.bpp for point in curve], [point.accuracy for point in curve]


def _label(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_tick)
    axes.xaxis.set_minor_formatter(_tick)
    axes.tick_params(axis="x", which="both", labelsize=7)
    axes.set_xlabel("bits per pixel, whole file")
    axes.set_ylabel("accuracy of the recognizer")
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.25, which="both")
    axes.legend(loc="lower right")


def _tick(rate: float, position: float) -> str:
    """The label of a tick, for six of the nine ticks of a decade: nine labels would overlap."""
    del position
    return f"{rate:g}" if f"{rate:e}"[0] in "123457" else ""


def reconstructions_figure(
    run: RunFolder, frame: pl.DataFrame, test: TextImages, recognizer: FrozenRecognizer | None
) -> Figure:
    """Original, base and TFIC reconstructions at like rates, each with what was read in it if somebody reads.

    What has lost its codec, or another release trained, is left out, with a line.
    """
    shown = [("original", None), *_loaded(run, _pairs(frame))]
    images = test.images[:IMAGES]
    figure = Figure(figsize=(2.9 * len(shown), 1.15 * IMAGES + 0.4), dpi=110, layout="constrained")
    grid = cast("NDArray[Any]", figure.subplots(IMAGES, len(shown), squeeze=False))
    for (title, trained), column in zip(shown, grid.T, strict=True):
        column[0].set_title(title, fontsize=10)
        for axes, image, text in zip(column, images, test.texts, strict=False):
            restored = image if trained is None else tfic.decode(trained, tfic.encode(trained, image))
            axes.imshow(restored)
            axes.set_axis_off()
            if recognizer is not None:
                _caption(axes, restored, _truth(image, text, recognizer), recognizer)
    return figure


def _truth(image: UInt8[NDArray[Any], "h w 3"], text: str, recognizer: FrozenRecognizer) -> str:
    """The label of an image; without one, what the recognizer reads in the original."""
    return recognizer.as_read(text) or recognizer.read(tfic.to_float(image))[0]


def _pairs(frame: pl.DataFrame) -> list[tuple[str, Point]]:
    """Base points spread over their curve, each before the TFIC point of the front nearest in rate, with titles."""
    front = frame.filter("on_front", kind="tfic").sort("bpp")
    base = points.complete(frame, "base")
    if front.is_empty() or base.is_empty():
        return []
    chosen = sorted({round(i * (len(base) - 1) / max(1, RATES - 1)) for i in range(RATES)})
    pairs: list[tuple[str, Point]] = []
    for point in (Point.of(base.row(index, named=True)) for index in chosen):
        by_distance = front.sort((pl.col("bpp") / point.measured.bpp).log().abs())
        near = Point.of(by_distance.row(0, named=True))
        pairs += [(f"base, {point.measured.bpp:.3f} bpp", point), (f"TFIC, {near.measured.bpp:.3f} bpp", near)]
    return pairs


def _loaded(run: RunFolder, pairs: list[tuple[str, Point]]) -> Iterator[tuple[str, TrainedCodec]]:
    for title, point in pairs:
        try:
            yield title, export.trained(run, point)
        except SweepError as error:
            logger.warning("%s is not drawn: %s", title, error)


def _caption(axes: Axes, image: UInt8[NDArray[Any], "h w 3"], truth: str, recognizer: FrozenRecognizer) -> None:
    read = recognizer.read(tfic.to_float(image))[0]
    color = RIGHT if accuracy(read, truth) == 1 else WRONG
    below: dict[str, Any] = {"ha": "center", "va": "top", "transform": axes.transAxes}
    axes.text(0.5, -0.04, read or "(nothing)", color=color, fontsize=9, parse_math=False, **below)
