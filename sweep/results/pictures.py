"""Test images above the reconstructions of them by one codec, a small picture each, with what was read in both."""

# matplotlib leaves the methods of axes partly untyped.
# pyright: reportUnknownMemberType=false

import io
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from jaxtyping import UInt8
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.files import tfic
from models.files.model import TrainedCodec
from sweep.results.figures import RIGHT, WRONG
from sweep.results.point import Reading

IMAGES = 5
"""Test images that are drawn: the first ones, whatever they show."""
WIDTH = 3.0
"""Inches of a picture, so few that words are legible where MLflow shows it small."""


def drawn(
    model: TrainedCodec,
    images: UInt8[NDArray[Any], "n h w 3"],
    originals: list[Reading],
    restored: list[Reading],
) -> Iterator[bytes]:
    """A PNG for each of the first images.

    Args:
        originals: readings of the images as they are, in order; empty where nobody has kept them.
        restored: readings of the reconstructions.
    """
    rows = zip_longest(images[:IMAGES], originals[:IMAGES], restored[:IMAGES])
    for image, original, reading in rows:
        data = tfic.encode(model, image)
        yield _png([(image, original), (tfic.decode(model, data), reading)], len(data))


def _png(pair: list[tuple[UInt8[NDArray[Any], "h w 3"], Reading | None]], size: int) -> bytes:
    height, width = pair[0][0].shape[:2]
    figure = Figure(figsize=(WIDTH, 2 * WIDTH * height / width + 0.5), dpi=120, layout="constrained")
    for axes, (image, reading), title in zip(figure.subplots(2), pair, ("original", f"{size} bytes"), strict=True):
        axes.imshow(image)
        axes.set_axis_off()
        read = "" if reading is None else f": {reading.read or '(nothing)'}"
        color = "black" if reading is None else RIGHT if reading.accuracy == 1 else WRONG
        axes.set_title(title + read, fontsize=9, color=color, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
