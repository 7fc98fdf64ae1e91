"""JPEG, WebP, AVIF, JPEG 2000 and JPEG XL, grey or in color, at any size."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from models.baselines.base import Framed, at_scale, shrunk
from models.baselines.containers import avif, jpeg, jpeg2000, jpeg_xl, webp
from models.baselines.containers.base import Container

Option = int | bool | str | list[int]


@dataclass(frozen=True, slots=True)
class Format:
    """An image format as Pillow writes it."""

    name: str
    pillow: str
    """Pillow's name."""
    container: Container
    qualities: tuple[int, ...]
    """From the least rate to the highest."""
    options: Callable[[int], Mapping[str, Option]]
    """Pillow's options at a quality."""


def _jpeg2000(ratio: int) -> Mapping[str, Option]:
    return {"irreversible": True, "no_jp2": True, "quality_mode": "rates", "quality_layers": [ratio]}


JPEG_QUALITIES = (1, 5, 10, 15, 20, 30, 45, 60, 75)
JPEG = Format(
    "jpeg", "JPEG", jpeg.OPTIMIZED, JPEG_QUALITIES, lambda q: {"quality": q, "optimize": True, "subsampling": "4:2:0"}
)
JPEG_STANDARD = Format(
    "jpeg-standard-tables", "JPEG", jpeg.STANDARD, JPEG_QUALITIES, lambda q: {"quality": q, "subsampling": "4:2:0"}
)
"""JPEG whose Huffman tables a batch shares; its pixels are those of `JPEG`."""
WEBP = Format(
    "webp", "WEBP", webp.WEBP, (1, 5, 10, 15, 22, 30, 40, 50, 60, 70, 80, 90), lambda q: {"quality": q, "method": 6}
)
AVIF = Format("avif", "AVIF", avif.AVIF, (1, 10, 20, 30, 40, 50, 60, 70, 80), lambda q: {"quality": q, "speed": 6})
JPEG2000 = Format(
    "jpeg2000", "JPEG2000", jpeg2000.JPEG2000, (240, 160, 120, 90, 65, 48, 36, 26, 18, 12, 8, 5, 3), _jpeg2000
)
"""Its quality is the ratio by which the pixels are compressed."""
JPEG_XL = Format("jpeg-xl", "JXL", jpeg_xl.JPEG_XL, (1, 5, 10, 20, 30, 45, 60, 75, 85), lambda q: {"quality": q})


def formats() -> tuple[Format, ...]:
    """The formats that can be written here: JPEG XL needs pillow-jxl-plugin."""
    return (WEBP, *((JPEG_XL,) if _registered_jpeg_xl() else ()), AVIF, JPEG2000, JPEG, JPEG_STANDARD)


def _registered_jpeg_xl() -> bool:
    if find_spec("pillow_jxl") is None:
        return False
    import pillow_jxl  # noqa: F401 # pyright: ignore[reportMissingImports, reportUnusedImport]

    return True


@dataclass(frozen=True, slots=True)
class LossyCodec(Framed):
    """Scales an image down, writes a file; scales what the file gives back up."""

    format: Format
    grey: bool
    divisor: float
    """By how much each side of an image is shrunk."""
    quality: int

    @property
    def name(self) -> str:
        """The name of a curve, such as webp-grey-1/2."""
        return at_scale(f"{self.format.name}-{'grey' if self.grey else 'color'}", self.divisor)

    @property
    def setting(self) -> str:
        """The quality."""
        return f"q{self.quality}"

    @property
    def container(self) -> Container:
        """The format's."""
        return self.format.container

    def encode(self, image: UInt8[NDArray[Any], "h w 3"]) -> bytes:
        """The bytes of a file of the format."""
        small = shrunk(Image.fromarray(image).convert("L" if self.grey else "RGB"), self.divisor)
        buffer = io.BytesIO()
        small.save(buffer, self.format.pillow, **self.format.options(self.quality))
        data = buffer.getvalue()
        return jpeg2000.without_comment(data) if self.format.name == "jpeg2000" else data

    def decode(self, data: bytes, width: int, height: int) -> UInt8[NDArray[Any], "h w 3"]:
        """The image that a file holds, scaled back to the size of the original."""
        with Image.open(io.BytesIO(data), formats=[self.format.pillow]) as image:
            return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
