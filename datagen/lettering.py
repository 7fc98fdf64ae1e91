"""Text as a picture: TextRecognitionDataGenerator's drawing and distortions, without what they do twice."""

import math
import random
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from trdg import computer_text_generator

from datagen import glyphs

Distortion = Literal["sine", "cosine", "random"]
RGBA = UInt8[NDArray[Any], "_h _w 4"]


class _Boundless:
    """A canvas without edges, and its own pen.

    TextRecognitionDataGenerator's ends where the characters' widths end; what reaches over them would be cut off.
    """

    def __init__(self) -> None:
        self._texts: list[tuple[tuple[int, int], str, dict[str, Any]]] = []

    def text(self, place: tuple[int, int], text: str, **style: Any) -> None:
        """Draws a text with its left end and its ascender's height at a place."""
        self._texts.append((place, text, style))

    def getbbox(self) -> tuple[int, int, int, int]:
        """A box around all that was drawn."""
        boxes = [(x, y, *_box(style["font"], text, style["stroke_width"])) for (x, y), text, style in self._texts]
        left, top = (min(box[axis] + box[2 + axis] for box in boxes) for axis in (0, 1))
        right, bottom = (max(box[axis] + box[4 + axis] for box in boxes) for axis in (0, 1))
        return left, top, right, bottom

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """What was drawn within a box, cut to its ink."""
        left, top, right, bottom = box
        image = Image.new("RGBA", (right - left, bottom - top))
        pen = ImageDraw.Draw(image)
        for (x, y), text, style in self._texts:
            pen.text((x - left, y - top), text, **style)
        return image.crop(image.getbbox())


class _NoMask:
    """Stands for the drawing of the characters' mask, which nobody asks for."""

    fontmode = "1"

    def text(self, *args: object, **kwargs: object) -> None: ...

    def crop(self, box: object) -> None: ...


def _canvas(mode: str, *args: object) -> _Boundless | _NoMask:
    return _NoMask() if mode == "RGB" else _Boundless()


@cache
def _box(font: ImageFont.FreeTypeFont, text: str, outline: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a drawn text."""
    left, top, right, bottom = font.getbbox(text, stroke_width=outline)
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


@cache
def _width(font: ImageFont.FreeTypeFont, text: str) -> int:
    return round(font.getlength(text))


@cache
def _height(font: ImageFont.FreeTypeFont, text: str) -> int:
    # TextRecognitionDataGenerator 1.8 calls FreeTypeFont.getsize, which Pillow 10 removed.
    return int(font.getbbox(text)[3])


def _truetype(font: str, size: int) -> glyphs.Font:
    return glyphs.load(Path(font), size)


def _pen(canvas: _Boundless | _NoMask, mode: str | None = None) -> _Boundless | _NoMask:
    """A canvas is drawn on by itself."""
    del mode
    return canvas


computer_text_generator.ImageFont = SimpleNamespace(truetype=_truetype)
computer_text_generator.Image = SimpleNamespace(new=_canvas)
computer_text_generator.ImageDraw = SimpleNamespace(Draw=_pen)
computer_text_generator.get_text_width = _width
computer_text_generator.get_text_height = _height
_character_width = computer_text_generator._compute_character_width  # pyright: ignore[reportPrivateUsage]
computer_text_generator._compute_character_width = cache(_character_width)  # pyright: ignore[reportPrivateUsage]


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
    """The text on nothing, cut to its ink, all of which is there; colors as TextRecognitionDataGenerator takes them.

    Args:
        size: of the font, in pixels.
        spacing: between characters, in pixels.
        space: between words, in spaces of the font.
        outline: its width in pixels.
    """
    drawn, _ = computer_text_generator.generate(
        text=glyphs.pieces(text),
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


def distort(image: RGBA, kind: Distortion, *, vertical: bool) -> RGBA:
    """TextRecognitionDataGenerator's distortion: columns move up and down, or rows to the sides.

    The random one takes its shifts from the `random` module, in the same order.
    """
    height, width, _ = image.shape
    reach = int(height ** (0.4 if kind == "random" else 0.5))
    columns = [_shift(kind, index, reach) for index in range(width)]
    if vertical:
        return _rolled(image, columns, reach)
    rows = [_shift(kind, index, reach) for index in range(height)]
    return _rolled(image.swapaxes(0, 1), rows, reach).swapaxes(0, 1)


def _shift(kind: Distortion, index: int, reach: int) -> int:
    match kind:
        case "sine":
            return int(math.sin(math.radians(index)) * reach)
        case "cosine":
            return int(math.cos(math.radians(index)) * reach)
        case "random":
            return random.randint(0, reach)


def _rolled(image: RGBA, shifts: list[int], reach: int) -> RGBA:
    """Each column moved down by its shift, on a canvas that is larger by `reach` at both ends."""
    height, width, _ = image.shape
    moved = np.zeros((height + 2 * reach, width, 4), np.uint8)
    rows = np.arange(height)[:, None] + reach + np.asarray(shifts)
    moved[rows, np.arange(width)] = image
    return moved
