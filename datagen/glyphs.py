"""How a font draws: its glyphs, what a reader takes for something else, and what is drawn at a time."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from datagen.errors import SpecError

GLYPHS = 128
"""Remembered of a font at a size."""
PROBE = 96
"""Pixels at which glyphs are looked at."""
ALIKE = 0.02
"""Squared difference of two glyphs that look alike, of the squares of one's pixels: what antialiasing makes of the same
outline at another place. In Bebas, 0 and O differ by 0.011; the next that can be told apart at all, by 0.03."""
MISSING = "\U0010fffe"
"""No font has it: what stands for it is what the font draws in place of any character that it lacks."""


@cache
def shaped(text: str) -> bool:
    """Whether a text runs from right to left, or its characters change with their neighbors, as in Devanagari."""
    return any(
        unicodedata.bidirectional(character) in ("R", "AL", "AN")
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
        for character in text
    )


def pieces(text: str) -> Sequence[str]:
    """What of a text is drawn at a time: its characters, or all of it where they are shaped together."""
    return [text] if shaped(text) else text


class Font(ImageFont.FreeTypeFont):
    """Remembers the characters that it draws in Pillow's own layout; the other one, which shapes, is not everywhere."""

    def __init__(self, font: Path, size: int) -> None:
        super().__init__(str(font), size, layout_engine=ImageFont.Layout.BASIC)
        self._file = font
        self._drawn = lru_cache(GLYPHS)(super().getmask2)

    @cached_property
    def _shaping(self) -> ImageFont.FreeTypeFont:
        if not features.check("raqm"):
            raise SpecError(
                "texts that are written from right to left or have combining marks need Pillow's layout raqm, which "
                "this machine lacks; install FriBiDi (Debian's libfribidi0), or choose another language"
            )
        return ImageFont.FreeTypeFont(str(self._file), self.size, layout_engine=ImageFont.Layout.RAQM)

    def getmask2(self, text: str, *args: Any, **kwargs: Any) -> Any:
        """A drawn text, and its offset."""
        return self._shaping.getmask2(text, *args, **kwargs) if shaped(text) else self._drawn(text, *args, **kwargs)

    def getbbox(self, text: str, *args: Any, **kwargs: Any) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a drawn text, pixels."""
        return (self._shaping if shaped(text) else super()).getbbox(text, *args, **kwargs)

    def getlength(self, text: str, *args: Any, **kwargs: Any) -> float:
        """How far after a text the next one starts, pixels."""
        return (self._shaping if shaped(text) else super()).getlength(text, *args, **kwargs)


@cache
def load(font: Path, size: int) -> Font:
    """A font at a size in pixels, opened once in a process."""
    return Font(font, size)


def extent(font: Path, text: str) -> tuple[float, float]:
    """Height and width of a text, of the font's size: its pieces' boxes side by side."""
    boxes = [_box(font, piece) for piece in pieces(text)]
    return max(1.0, max(box[3] for box in boxes) - min(box[1] for box in boxes)) / PROBE, sum(
        box[2] for box in boxes
    ) / PROBE


def fault(font: Path, text: str, characters: str) -> str:
    """What keeps a font from drawing a text so that it can be read; empty if nothing does.

    Args:
        characters: that any text may have: a reader takes one for another that looks like it.
    """
    alike = _alike(font, characters)
    for character in text:
        if character == " ":
            continue
        if not has(font, character):
            return f"lacks {character!r}"
        if character in alike:
            return f"draws {character!r} as it draws {alike[character]!r}"
    return ""


@cache
def capitals_only(font: Path) -> bool:
    """Whether a font draws small letters as capitals: with no descenders, and none taller than the others."""
    flat, tall, deep = (_edges(font, letters) for letters in ("acemnrsuvxz", "bdhkl", "gpqy"))
    height = flat[1] - flat[0]
    return flat[0] - tall[0] < 0.1 * height and deep[1] - flat[1] < 0.1 * height


class _Glyph(NamedTuple):
    """A character's ink, without the empty pixels around it."""

    top: int
    """Pixels below the ascender's height."""
    pixels: UInt8[NDArray[Any], "_h _w"]


@cache
def has(font: Path, character: str) -> bool:
    """Whether a font has a picture for a character."""
    try:
        glyph, missing = _glyph(font, character), _glyph(font, MISSING)
    except OSError:
        # An outline that cannot be drawn.
        return False
    same = glyph.top == missing.top and np.array_equal(glyph.pixels, missing.pixels)
    return bool(glyph.pixels.any()) and not same


@cache
def _unshaped(font: Path) -> ImageFont.FreeTypeFont:
    """For characters by themselves: what a shaper makes of a lone mark says nothing of the font."""
    return ImageFont.FreeTypeFont(str(font), PROBE, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(2 * GLYPHS)
def _glyph(font: Path, character: str) -> _Glyph:
    loaded = _unshaped(font)
    left, top, right, bottom = map(int, loaded.getbbox(character))
    picture = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=loaded)
    ink = picture.getbbox() or (0, 0, 1, 1)
    return _Glyph(top + ink[1], np.asarray(picture.crop(ink)))


@cache
def _alike(font: Path, characters: str) -> dict[str, str]:
    """Characters that look like others in a font, each with one that it looks like.

    Small letters of a font that draws them as capitals do not count, for the label has capitals; nor do characters that
    change with their neighbors. Letters of two scripts share forms by design.
    """
    small = capitals_only(font)
    shown = [
        character
        for character in dict.fromkeys(characters)
        if not (small and character.islower()) and not shaped(character) and has(font, character)
    ]
    return {
        character: other
        for pair in _similar(font, shown)
        for character, other in (pair, pair[::-1])
        if not _of_two_scripts(*pair)
    }


def _similar(font: Path, characters: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs whose glyphs differ by ALIKE at most, up to a shift by a pixel."""
    glyphs = [_glyph(font, character) for character in characters]
    boxes = np.array([(glyph.top, *glyph.pixels.shape) for glyph in glyphs]).reshape(-1, 3)
    ink = np.array([glyph.pixels.sum() for glyph in glyphs], float)
    for first, glyph in enumerate(glyphs):
        near = (abs(boxes - boxes[first]) <= 1).all(1) & (abs(ink - ink[first]) < 0.1 * ink[first])
        others: list[int] = (np.flatnonzero(near[first + 1 :]) + first + 1).tolist()
        for other in others:
            if _difference(glyph.pixels, glyphs[other].pixels) < ALIKE:
                yield characters[first], characters[other]


def _difference(one: UInt8[NDArray[Any], "_h _w"], other: UInt8[NDArray[Any], "_g _v"]) -> float:
    """Squared, of the squares of the other's pixels, where they lie best upon each other."""
    bordered = cv2.copyMakeBorder(one, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return cv2.matchTemplate(bordered, other, cv2.TM_SQDIFF).min().item() / np.square(other, dtype=float).sum().item()


def _of_two_scripts(one: str, other: str) -> bool:
    """Whether both are letters, one Latin, say, and one Cyrillic."""
    first, second = (unicodedata.name(character, "").split(" ")[0] for character in (one, other))
    return one.isalpha() and other.isalpha() and first != second


@lru_cache(2**15)
def _box(font: Path, text: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom at PROBE pixels."""
    return load(font, PROBE).getbbox(text)


def _edges(font: Path, letters: str) -> tuple[float, float]:
    """Median top and bottom of letters, downwards."""
    boxes = [_box(font, letter) for letter in letters]
    return median(box[1] for box in boxes), median(box[3] for box in boxes)
