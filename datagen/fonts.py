"""Fonts: which a split may use, which characters each draws, and how it draws small letters."""

import hashlib
import itertools
import re
from functools import cache, lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from datagen import own_files
from datagen.errors import SpecError
from datagen.spec import SPLITS, DatasetSpec, Split
from datagen.texts import trdg

DEAL: tuple[Split, ...] = ("train", "val", "test", "train", "train")
"""Who gets the next family, from the one of most fonts to those of one: each split has of both."""
GLYPHS = 128
"""Remembered of a font at a size."""
PROBE = 48
"""Pixels at which glyphs are looked at."""
MISSING = "\U0010fffe"
"""No font has it: what stands for it is what the font draws in place of any character that it lacks."""


@cache
def of_split(spec: DatasetSpec, split: Split) -> tuple[Path, ...]:
    """Fonts of one split, by name. Weights of one family stay together.

    Raises:
        SpecError: the folder has no fonts, or too few families for three splits.
    """
    found = _fonts(spec.fonts)
    if "fonts" in spec.shared:
        return found
    families = [list(group) for _, group in itertools.groupby(sorted(found, key=_family), _family)]
    if len(families) < len(SPLITS):
        raise SpecError(
            f"{spec.fonts}: {len(families)} font families are too few for three splits that share none; add some, "
            "or share fonts"
        )
    ranked = sorted(families, key=lambda family: (-len(family), _hash(spec, family)))
    mine = itertools.compress(ranked, (owner == split for owner in itertools.cycle(DEAL)))
    return tuple(sorted(itertools.chain.from_iterable(mine)))


def _hash(spec: DatasetSpec, family: list[Path]) -> bytes:
    return hashlib.sha256(f"{spec.seed}/{_family(family[0])}".encode()).digest()


class Font(ImageFont.FreeTypeFont):
    """Remembers the characters that it draws, in Pillow's own layout: the other one is not on every machine."""

    def __init__(self, font: Path, size: int) -> None:
        super().__init__(str(font), size, layout_engine=ImageFont.Layout.BASIC)
        self._drawn = lru_cache(GLYPHS)(super().getmask2)

    def getmask2(self, *args: Any, **kwargs: Any) -> Any:
        """A drawn text, and its offset."""
        return self._drawn(*args, **kwargs)


@cache
def load(font: Path, size: int) -> Font:
    """A font at a size in pixels, opened once in a process."""
    return Font(font, size)


def extent(font: Path, text: str) -> tuple[float, float]:
    """Height and width of a text, of the font's size: its characters' boxes side by side."""
    boxes = [_box(font, character) for character in text]
    return max(1.0, max(box[3] for box in boxes) - min(box[1] for box in boxes)) / PROBE, sum(
        box[2] for box in boxes
    ) / PROBE


def draws(font: Path, text: str) -> bool:
    """Whether the font has a picture for each character."""
    return all(character == " " or _has(font, character) for character in text)


@cache
def capitals_only(font: Path) -> bool:
    """Whether it draws small letters as capitals: with no descenders, and none taller than the others."""
    flat, tall, deep = (_edges(font, letters) for letters in ("acemnrsuvxz", "bdhkl", "gpqy"))
    height = flat[1] - flat[0]
    return flat[0] - tall[0] < 0.1 * height and deep[1] - flat[1] < 0.1 * height


@cache
def _fonts(folder: str | None) -> tuple[Path, ...]:
    where = trdg() / "fonts" / "latin" if folder is None else Path(folder)
    found = tuple(own_files.files(where, own_files.FONTS))
    if not found:
        raise SpecError(f"{where} holds no fonts ({', '.join(sorted(own_files.FONTS))})")
    return found


@cache
def _family(font: Path) -> str:
    """The first word of its name, which all its weights and widths share."""
    try:
        name = load(font, PROBE).getname()[0] or font.stem
    except OSError as error:
        raise SpecError(f"{font} cannot be opened as a font: {error}") from None
    return re.split(r"[\s_-]+", name.casefold())[0]


@cache
def _has(font: Path, character: str) -> bool:
    drawn = _glyph(font, character)
    return any(drawn[1]) and drawn != _glyph(font, MISSING)


@cache
def _glyph(font: Path, character: str) -> tuple[tuple[int, int], bytes]:
    loaded = load(font, PROBE)
    right, bottom = loaded.getbbox(character)[2:]
    picture = Image.new("L", (max(1, int(right)), max(1, int(bottom))))
    ImageDraw.Draw(picture).text((0, 0), character, fill=255, font=loaded)
    return picture.size, picture.tobytes()


@cache
def _box(font: Path, character: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom at PROBE pixels."""
    return load(font, PROBE).getbbox(character)


def _edges(font: Path, letters: str) -> tuple[float, float]:
    """Median top and bottom of letters, downwards."""
    boxes = [_box(font, letter) for letter in letters]
    return median(box[1] for box in boxes), median(box[3] for box in boxes)
