"""What lines of text may hold and look like: the part of a specification that is one image's."""

import math
import random
from dataclasses import dataclass, field
from typing import Literal

from datagen.errors import SpecError

Background = Literal["noise", "plain", "quasicrystal", "photo", "gradient", "clouds", "lines", "shapes", "paper"]
Characters = Literal["letters", "digits", "symbols"]
Range = tuple[float, float]
"""Least and most; a value is drawn evenly between them."""
READABLE = "".join(map(chr, range(ord(" "), ord("~") + 1))) + "€"
"""What the recognizers read."""
LATER = {"later": True}
"""Marks a field that specifications did not always have: at its default, it is no part of their digests."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What is written: a line of one or more words an image."""

    language: str = "en"
    """Dictionary of TextRecognitionDataGenerator that words come from."""
    file: str | None = None
    """A file of your own: each of its lines is a text, instead of words."""
    random: float = 0.3
    """Share of texts that are random strings of `pool` instead."""
    amounts: float = field(default=0.0, metadata=LATER)
    """Share of texts that are prices, dates, times or other numbers, as receipts and labels have them, instead."""
    pool: tuple[Characters, ...] = ("letters", "digits", "symbols")
    """What random strings are made of, each of some or all of them."""
    words: tuple[int, int] = (1, 1)
    """Fewest and most words, or random strings, a line."""
    length: tuple[int, int] = (3, 12)
    """Fewest and most characters of each."""
    upper: float = 0.4
    """Share of dictionary words written in capitals."""
    capitalized: float = 0.3
    """Share of dictionary words with their first letter in capitals."""
    characters: str = READABLE
    """Characters that every text is made of."""

    def __post_init__(self) -> None:
        _check_range("words", self.words, 1, 20)
        _check_range("length", self.length, 1, 40)
        _check_shares(random=self.random, amounts=self.amounts, upper=self.upper, capitalized=self.capitalized)
        if self.random and not self.pool:
            raise SpecError("pool is empty, but random strings are asked for; name letters, digits or symbols")
        if not any(character.isalnum() for character in self.characters):
            raise SpecError("characters has no letter and no digit, so that nothing is left to write")
        if self.file is None and self.words[1] > 1 and " " not in self.characters:
            raise SpecError(
                f"characters has no space, but lines of words={self.words} need one; add it, or take one word"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How a text lies on its background, and what became of the picture since."""

    size: Range = (0.5, 1.0)
    """Size of the text, as a share of the largest that fits the canvas."""
    margin: int = 0
    """Pixels at every side that stay free."""
    contrast: Range = (80.0, 255.0)
    """Difference of luminance between the text and what lies under it, where the background allows for so much."""
    light: float = 0.5
    """Share of texts lighter than their background, where it allows for that."""
    color: float = 0.5
    """Share of texts, and of white backgrounds, that take a color instead of a grey."""
    spacing: Range = (0.0, 0.15)
    """Between characters, in sizes of the font."""
    space: Range = (0.7, 1.3)
    """Between words, in spaces of the font."""
    outline: float = 0.1
    """Share of texts with an outline of another color."""
    outline_width: tuple[int, int] = (1, 2)
    """Pixels."""
    distortion: float = 0.1
    """Share of texts with one of TextRecognitionDataGenerator's distortions: sine, cosine or random."""
    skew: float = 4.0
    """Largest rotation either way, degrees."""
    perspective: float = 0.05
    """Largest shift of a corner of the text's box, as a share of its side."""
    curvature: float = 0.1
    """Largest bend of the text's middle against its ends, as a share of its height."""
    light_falloff: float = 0.3
    """Share of images lit from one side."""
    shadow: float = 0.2
    """Share of images with a shadow across."""
    blur: float = 1.2
    """Largest radius of the Gaussian blur, pixels."""
    noise: float = 0.3
    """Share of images with a camera's noise."""
    noise_level: Range = (2.0, 12.0)
    """Standard deviation of a camera's noise, of 255."""
    jpeg: float = 0.3
    """Share of images with the traces of a JPEG file."""
    jpeg_quality: tuple[int, int] = (30, 90)
    """Quality of a JPEG file, 1 to 100."""
    panel: float = field(default=0.0, metadata=LATER)
    """Share of texts on an area of their own: a sign, a label, a button."""
    frame: float = field(default=0.0, metadata=LATER)
    """Share of texts in a frame of their color: a stamp."""
    neighbor: float = field(default=0.0, metadata=LATER)
    """Share of images that a part of another line reaches into, from above or below. It is no part of the text."""
    dotted: float = field(default=0.0, metadata=LATER)
    """Share of texts in a matrix printer's dots."""
    dots: Range = field(default=(10.0, 18.0), metadata=LATER)
    """Rows of such dots, over the font's size."""
    worn: float = field(default=0.0, metadata=LATER)
    """Share of texts that are printed unevenly: blotched, striped or fading."""
    folds: float = field(default=0.0, metadata=LATER)
    """Share of images with folds and creases."""
    glare: float = field(default=0.0, metadata=LATER)
    """Share of images with a light's reflection."""
    moire: float = field(default=0.0, metadata=LATER)
    """Share of images with the waves of a photographed screen."""
    low_resolution: float = field(default=0.0, metadata=LATER)
    """Share of images that were taken with fewer pixels, and enlarged."""
    x_height: Range = field(default=(6.0, 12.0), metadata=LATER)
    """Height of a small x in an image of fewer pixels, pixels."""
    subpixel: float = field(default=0.0, metadata=LATER)
    """Share of images of fewer pixels that have the colored edges of a screen's letters."""
    defocus: float = field(default=0.0, metadata=LATER)
    """Share of images out of focus."""
    defocus_radius: Range = field(default=(0.5, 2.5), metadata=LATER)
    """Pixels of the image as it was taken."""
    motion: float = field(default=0.0, metadata=LATER)
    """Share of images that a moving hand took."""
    motion_length: Range = field(default=(2.0, 6.0), metadata=LATER)
    """Pixels of the image as it was taken."""

    def __post_init__(self) -> None:
        _check_range("size", self.size, 0.05, 1.0)
        _check_range("contrast", self.contrast, 0, 255)
        _check_range("jpeg_quality", self.jpeg_quality, 1, 100)
        _check_range("spacing", self.spacing, 0, 10)
        _check_range("space", self.space, 0, 10)
        _check_range("outline_width", self.outline_width, 0, 20)
        _check_range("noise_level", self.noise_level, 0, 255)
        _check_range("dots", self.dots, 4, 100)
        _check_range("x_height", self.x_height, 2, 100)
        _check_range("defocus_radius", self.defocus_radius, 0, 100)
        _check_range("motion_length", self.motion_length, 0, 100)
        _check_amounts(margin=self.margin, skew=self.skew, curvature=self.curvature, blur=self.blur)
        _check_shares(**{name: getattr(self, name) for name in SHARES})


SHARES = (
    *("light", "color", "outline", "distortion", "perspective", "light_falloff", "shadow", "noise", "jpeg"),
    *("panel", "frame", "neighbor", "dotted", "worn", "folds", "glare", "moire", "low_resolution", "subpixel"),
    *("defocus", "motion"),
)
"""Fields of a look from 0 to 1."""


def chance(share: float, rng: random.Random) -> bool:
    """Whether something that a share of images has befalls this one; where none has it, nothing is drawn of `rng`."""
    return share > 0 and rng.random() < share


def _check_range(name: str, bounds: tuple[float, float], least: float, most: float) -> None:
    low, high = bounds
    if not least <= low <= high <= most:
        raise SpecError(f"{name}={bounds} must be a rising pair within {least} and {most}")


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise SpecError(f"{name}={share} must be a share, 0 to 1")


def _check_amounts(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not 0 <= amount < math.inf:
            raise SpecError(f"{name}={amount} must be 0 or more")
