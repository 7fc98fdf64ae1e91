"""One row of a shard, and the lossless file that an image of it is."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

RGB = UInt8[NDArray[Any], "h w 3"]
Ink = UInt8[NDArray[Any], "h w"]
"""How much of each pixel glyphs cover, of 255."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a shard."""

    image: bytes
    """PNG, RGB."""
    text: str
    index: int
    font: str | None = None
    """None of an image that was not drawn here."""
    background: str | None = None
    ink: bytes | None = None
    """PNG, grey: what the glyphs cover, before color, light and camera. None of an image that was not drawn here."""


def png(picture: RGB) -> bytes:
    """A file's bytes, without loss; grey pictures as such."""
    red, green, blue = cv2.split(picture)
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    return _encoded(red if grey else cv2.merge((blue, green, red)))


def ink_png(ink: Ink) -> bytes:
    """A file's bytes, without loss."""
    return _encoded(ink)


def _encoded(pixels: UInt8[NDArray[Any], "h w *_c"]) -> bytes:
    # A third of the drawing's time goes here; runs of equal bytes are nearly all there is to gain.
    fast = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
    return cv2.imencode(".png", pixels, fast)[1].tobytes()
