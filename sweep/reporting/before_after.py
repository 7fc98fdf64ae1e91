"""Test images above the reconstructions of them by one codec, a small picture each, with what was read in both."""

import io
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.summary import caption_font
from models.files import tfic
from models.files.model import TrainedCodec
from sweep.reporting.figures import RIGHT, WRONG
from sweep.results.point import Reading

IMAGES = 5
"""Test images that are drawn: the first ones, whatever they show."""
WIDTH = 512
"""Pixels to which narrow images are enlarged, by a whole number."""
CHARACTERS = 40
"""About how many fit into a line of text."""


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
        halves = [
            _half(image, "original", original),
            _half(tfic.decode(model, data), f"{len(data)} bytes", reading),
        ]
        yield _png(halves)


def _half(pixels: UInt8[NDArray[Any], "h w 3"], title: str, reading: Reading | None) -> Image.Image:
    """An image below a line of text, which is green where all was read correctly, and red otherwise."""
    image = Image.fromarray(pixels)
    scale = max(1, WIDTH // image.width)
    image = image.resize((scale * image.width, scale * image.height), Image.Resampling.NEAREST)
    line = 2 * image.width // CHARACTERS
    half = Image.new("RGB", (image.width, image.height + line), "white")
    half.paste(image, (0, line))
    color = "black" if reading is None else RIGHT if reading.accuracy == 1 else WRONG
    text = title if reading is None else f"{title}: {reading.read or '(nothing)'}"
    ImageDraw.Draw(half).text((line // 4, line // 8), text, color, caption_font(line * 2 // 3))
    return half


def _png(halves: list[Image.Image]) -> bytes:
    picture = Image.new("RGB", (halves[0].width, sum(half.height for half in halves)))
    for index, half in enumerate(halves):
        picture.paste(half, (0, index * half.height))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
