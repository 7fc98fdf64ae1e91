"""Draws and distorts texts with TextRecognitionDataGenerator itself.

Reads a pickled list of calls (name, arguments, options) from standard input, and writes the pictures to standard
output.
"""

import functools
import pickle
import random
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Pillow has left out what TRDG calls; its fonts in the layout that every machine has.
ImageFont.FreeTypeFont.getsize = lambda font, text: font.getbbox(text)[2:]  # pyright: ignore[reportAttributeAccessIssue]
ImageFont.truetype = functools.partial(ImageFont.truetype, layout_engine=ImageFont.Layout.BASIC)

from trdg import computer_text_generator, distorsion_generator  # noqa: E402

MARGIN = 60
generator: Any = computer_text_generator


def drawn(
    font: str,
    text: str,
    size: int,
    fill: str = "#000000",
    spacing: int = 0,
    space: float = 1.0,
    outline: int = 0,
    outline_fill: str = "#282828",
) -> np.ndarray:
    image, _ = generator.generate(text, font, fill, size, 0, space, spacing, True, False, outline, outline_fill)
    return np.asarray(image)


class Pen:
    """Draws with a margin to the left and above."""

    def __init__(self, image: Image.Image, mode: str | None = None) -> None:
        self.pen = ImageDraw.Draw(image, mode)

    def text(self, place: tuple[int, int], text: str, **style: Any) -> None:
        self.pen.text((place[0] + MARGIN, place[1] + MARGIN), text, **style)


def larger(mode: str, size: tuple[int, int], color: Any) -> Image.Image:
    return Image.new(mode, (size[0] + 2 * MARGIN, size[1] + 2 * MARGIN), color)


def drawn_with_a_margin(*arguments: Any, **options: Any) -> np.ndarray:
    generator.Image, generator.ImageDraw = SimpleNamespace(new=larger), SimpleNamespace(Draw=Pen)
    try:
        return drawn(*arguments, **options)
    finally:
        generator.Image, generator.ImageDraw = Image, ImageDraw


def distorted(image: np.ndarray, kind: str, vertical: bool, horizontal: bool) -> np.ndarray:
    random.seed(3)
    kind = {"sine": "sin", "cosine": "cos"}.get(kind, kind)
    picture = Image.fromarray(image)
    return np.asarray(getattr(distorsion_generator, kind)(picture, picture.convert("RGB"), vertical, horizontal)[0])


WORK = {"drawn": drawn, "drawn_with_a_margin": drawn_with_a_margin, "distorted": distorted}
calls = pickle.load(sys.stdin.buffer)
pickle.dump([WORK[name](*arguments, **options) for name, arguments, options in calls], sys.stdout.buffer)
