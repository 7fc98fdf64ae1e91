"""What a user gets without any training: WebP, grey or in color, at full, half or quarter size."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

DIVISORS = (1, 2, 4)
QUALITIES = (1, 15, 30, 50, 75)
METHOD = 6
"""The slowest of WebP's methods, with the smallest files."""


@dataclass(frozen=True, slots=True)
class ClassicalCodec:
    """Scales an image down, writes a WebP file; scales what the file gives back up."""

    grey: bool
    divisor: int
    """By how much each side of an image is shrunk."""
    quality: int
    """WebP's, 0 to 100."""

    @property
    def name(self) -> str:
        """The name of a curve: the codec without the quality."""
        color = "grey" if self.grey else "color"
        return f"webp-{color}" if self.divisor == 1 else f"webp-{color}-1/{self.divisor}"

    def encode(self, image: UInt8[NDArray[Any], "h w 3"]) -> bytes:
        """The bytes of a WebP file."""
        height, width = image.shape[:2]
        size = max(1, width // self.divisor), max(1, height // self.divisor)
        small = Image.fromarray(image).convert("L" if self.grey else "RGB").resize(size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=self.quality, method=METHOD)
        return buffer.getvalue()

    def decode(self, data: bytes, width: int, height: int) -> UInt8[NDArray[Any], "h w 3"]:
        """The image that a file holds, scaled back to the size of the original."""
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))


def codecs() -> list[ClassicalCodec]:
    """Every color, size and quality that the envelope is drawn from."""
    return [
        ClassicalCodec(grey, divisor, quality)
        for grey in (True, False)
        for divisor in DIVISORS
        for quality in QUALITIES
    ]
