"""Text as a picture: TextRecognitionDataGenerator's drawing and distortions, without what they do twice."""

import math
import random
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from trdg import computer_text_generator

from datagen import fonts

Distortion = Literal["sine", "cosine", "random"]
RGBA = UInt8[np.ndarray, "_h _w 4"]


class _NoMask:
    """Stands for the drawing of the characters' mask, which nobody asks for."""

    fontmode = "1"

    def text(self, *args: object, **kwargs: object) -> None: ...


def _canvas(image: Image.Image, mode: str | None = None) -> ImageDraw.ImageDraw | _NoMask:
    return _NoMask() if mode == "RGB" else ImageDraw.Draw(image)


@cache
def _width(font: ImageFont.FreeTypeFont, text: str) -> int:
    return round(font.getlength(text))


@cache
def _height(font: ImageFont.FreeTypeFont, text: str) -> int:
    # TextRecognitionDataGenerator 1.8 calls FreeTypeFont.getsize, which Pillow 10 removed.
    return int(font.getbbox(text)[3])


computer_text_generator.ImageFont = SimpleNamespace(truetype=lambda font, size: fonts.load(Path(font), size))
computer_text_generator.ImageDraw = SimpleNamespace(Draw=_canvas)
computer_text_generator.get_text_width = _width
computer_text_generator.get_text_height = _height
computer_text_generator._compute_character_width = cache(computer_text_generator._compute_character_width)


def draw(
    text: str,
    font: Path,
    size: int,
    *,
    fill: str = "#000000",
    spacing: int = 0,
    space: float = 1.0,
    outline: int = 0,
    outline_fill: str = "#282828",
) -> RGBA:
    """The text on nothing, cut to its ink; colors as TextRecognitionDataGenerator takes them.

    Args:
        size: of the font, in pixels.
        spacing: between characters, in pixels.
        space: between words, in spaces of the font.
        outline: its width in pixels.
    """
    drawn, _ = computer_text_generator.generate(
        text=text,
        font=str(font),
        text_color=fill,
        font_size=size,
        orientation=0,
        space_width=space,
        character_spacing=spacing,
        fit=True,
        word_split=False,
        stroke_width=outline,
        stroke_fill=outline_fill,
    )
    return np.asarray(drawn)


def distort(image: RGBA, kind: Distortion, *, vertical: bool, horizontal: bool) -> RGBA:
    """TextRecognitionDataGenerator's distortion: columns move up and down, rows to the sides.

    The random one takes its shifts from the `random` module, in the same order.
    """
    height, width, _ = image.shape
    reach = int(height ** (0.4 if kind == "random" else 0.5))
    columns = [_shift(kind, index, reach) for index in range(width)]
    taller = max(columns) - min(*columns, 0) if vertical else 0
    rows = [_shift(kind, index, reach) for index in range(height + taller)]
    if vertical:
        image = _rolled(image, columns, reach)
    return _rolled(image.swapaxes(0, 1), rows, reach).swapaxes(0, 1) if horizontal else image


def _shift(kind: Distortion, index: int, reach: int) -> int:
    match kind:
        case "sine":
            return int(math.sin(math.radians(index)) * reach)
        case "cosine":
            return int(math.cos(math.radians(index)) * reach)
        case "random":
            return random.randint(0, reach)


def _rolled(image: RGBA, shifts: list[int], reach: int) -> RGBA:
    """Each column that has a shift moved down by it, on a canvas that is larger by `reach` at both ends."""
    height, width, _ = image.shape
    moved = np.zeros((height + 2 * reach, width, 4), np.uint8)
    columns = np.arange(min(width, len(shifts)))
    rows = np.arange(height)[:, None] + reach + np.asarray(shifts)[columns]
    moved[rows, columns] = image[:, columns]
    return moved
