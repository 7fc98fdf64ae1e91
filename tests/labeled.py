"""Labeled images for tests of the import."""

import io
from pathlib import Path

from PIL import Image

WORDS = [first + last for first in ("sun", "rain", "snow", "wind", "fog") for last in "abcdefgh"]


def png(shade: int = 200) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (80, 30), shade % 256).save(buffer, "PNG")
    return buffer.getvalue()


def in_names(folder: Path) -> Path:
    (folder / "deep").mkdir()
    for number, word in enumerate(WORDS):
        (folder / ("deep" if number % 2 else "") / f"{word}_{number}.png").write_bytes(png(number))
    return folder
