"""Images of two or four greys in lossless files: CCITT G4, WebP lossless, PNG.

JBIG2 would take some 10 to 15 % fewer bits than G4; no package that is kept writes it from Python.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from models.baselines import thresholds
from models.baselines.base import Framed, shrunk
from models.baselines.containers import png, tiff, webp
from models.baselines.containers.base import Container

ONE_STRIP = 2**30
"""Bytes of pixels in a strip, at most: an image is never cut into several."""
WHITE = 255
Levels = UInt8[NDArray[Any], "h w"]
"""Greys from 0, which is ink, to the most that a `Reduction` has."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """How an image becomes one of few greys."""

    name: str
    greys: int
    levels: Callable[[Levels], Levels]
    """Grey pixels -> levels."""


def _bilevel(threshold: thresholds.Threshold) -> Callable[[Levels], Levels]:
    return lambda grey: (~thresholds.ink(grey, threshold)).astype(np.uint8)


OTSU = Reduction("otsu", 2, _bilevel(thresholds.otsu))
SAUVOLA = Reduction("sauvola", 2, _bilevel(thresholds.sauvola))
FOUR_GREYS = Reduction("four-greys", thresholds.LEVELS, thresholds.four_levels)


@dataclass(frozen=True, slots=True)
class Lossless:
    """A file format that keeps images of few greys as they are."""

    name: str
    pillow: str
    """Pillow's name of the format."""
    container: Container
    save: Callable[[Levels, int], bytes]
    """Levels and how many there may be -> file."""


def _group_4(levels: Levels, greys: int) -> bytes:
    """Libtiff's strip in a smaller directory; ink is coded as black, whose runs are short."""
    assert greys == 2, greys
    buffer = io.BytesIO()
    Image.fromarray(levels == 0).save(buffer, "TIFF", compression="group4", strip_size=ONE_STRIP)
    buffer.seek(0)
    with TiffImageFile(buffer) as image:
        tags = cast("dict[int, tuple[int]]", image.tag_v2)
        [start], [length] = tags[tiff.STRIP_OFFSETS], tags[tiff.STRIP_BYTES]
        return tiff.pack(buffer.getvalue()[start : start + length], *image.size)


def _png(levels: Levels, greys: int) -> bytes:
    """One bit a pixel, or a palette of two bits."""
    buffer = io.BytesIO()
    if greys == 2:
        Image.fromarray(levels == 1).save(buffer, "PNG", optimize=True)
    else:
        picture = Image.fromarray(levels)
        picture.putpalette([level * WHITE // (greys - 1) for level in range(greys) for _ in "rgb"])
        picture.save(buffer, "PNG", optimize=True, bits=2)
    return buffer.getvalue()


def _webp(levels: Levels, greys: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(levels * np.uint8(WHITE // (greys - 1))).save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


GROUP_4 = Lossless("g4", "TIFF", tiff.TIFF, _group_4)
PNG = Lossless("png", "PNG", png.PNG, _png)
WEBP = Lossless("webp-lossless", "WEBP", webp.WEBP, _webp)


@dataclass(frozen=True, slots=True)
class FewGreys(Framed):
    """Scales an image down, reduces it to few greys, writes a lossless file; scales what the file gives back up."""

    reduction: Reduction
    lossless: Lossless
    divisor: float
    """By how much each side of an image is shrunk."""

    @property
    def name(self) -> str:
        """The name of a curve, such as otsu-g4."""
        return f"{self.reduction.name}-{self.lossless.name}"

    @property
    def setting(self) -> str:
        """The size."""
        return f"1/{self.divisor:g}"

    @property
    def container(self) -> Container:
        """The file format's."""
        return self.lossless.container

    def encode(self, image: UInt8[NDArray[Any], "h w 3"]) -> bytes:
        """The bytes of a lossless file."""
        grey = np.asarray(shrunk(Image.fromarray(image).convert("L"), self.divisor))
        return self.lossless.save(self.reduction.levels(grey), self.reduction.greys)

    def decode(self, data: bytes, width: int, height: int) -> UInt8[NDArray[Any], "h w 3"]:
        """Dark ink on light ground, scaled back to the size of the original."""
        with Image.open(io.BytesIO(data), formats=[self.lossless.pillow]) as image:
            return np.asarray(image.convert("L").resize((width, height), Image.Resampling.BICUBIC).convert("RGB"))
