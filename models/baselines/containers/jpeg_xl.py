"""JPEG XL codestreams: their first bytes are repeated, as many as files of one size and color have in common.

The headers are bits without markers (ISO 18181-1), so they are measured on two pictures that have nothing in common.
"""

import io
from functools import cache
from itertools import takewhile

from PIL import Image

from models.baselines.containers.base import Container, Parts, joined


def save(picture: Image.Image, quality: int) -> bytes:
    """A JPEG XL codestream."""
    buffer = io.BytesIO()
    picture.save(buffer, "JXL", quality=quality)
    return buffer.getvalue()


def split(data: bytes) -> Parts:
    """Takes the image's header out; a file that begins otherwise is its own in whole."""
    with Image.open(io.BytesIO(data), formats=["JXL"]) as picture:
        start = prefix(picture.mode, picture.size)
    return Parts(start, data[len(start) :]) if data.startswith(start) else Parts(b"", data)


@cache
def prefix(mode: str, size: tuple[int, int]) -> bytes:
    """The bytes that all files of this mode and size begin with."""
    gradients = Image.linear_gradient("L"), Image.radial_gradient("L")
    pictures = [gradient.resize(size).convert(mode) for gradient in gradients]
    files = [save(picture, quality) for picture in pictures for quality in (10, 80)]
    alike = takewhile(lambda column: len(set(column)) == 1, zip(*files, strict=False))
    return bytes(column[0] for column in alike)


JPEG_XL = Container(split, joined)
