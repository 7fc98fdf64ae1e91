"""One sample from (specification, split, index); the only place that calls TextRecognitionDataGenerator.

Its drawing functions take their randomness from global generators; each sample seeds those from its own
identity, so that a sample is the same on every worker, in any order.
"""

import hashlib
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
from PIL import Image, ImageFilter, ImageFont, ImageStat
from trdg import background_generator, computer_text_generator

from datagen import vocabulary
from datagen.errors import SpecError
from datagen.spec import Background, DatasetSpec, Split

FONT_SIZE = 96
"""Pixels; text is drawn at this size and scaled down to the canvas."""
ATTEMPTS = 50
"""Draws of one sample before its specification is called impossible."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a shard."""

    image: bytes
    """PNG, RGB."""
    text: str
    index: int
    font: str | None = None
    """None of an image that was not drawn here."""
    background: str | None = None


def render(spec: DatasetSpec, split: Split, index: int) -> Sample:
    """Draws sample `index` of a split: the same bytes for the same arguments, always.

    Raises:
        SpecError: no draw had the contrast that the specification asks for.
    """
    for attempt in range(ATTEMPTS):
        with _seeded(f"{spec.seed}/{split}/{index}/{attempt}") as rng:
            word = rng.choice(_words(spec, split))
            font = rng.choice(vocabulary.fonts())
            text = word.upper() if font.stem in vocabulary.CAPITALS_ONLY else word
            kind = rng.choice(spec.backgrounds)
            image = _draw(spec, text, font, kind, rng)
        if image is not None:
            return Sample(png(image), text, index, font.stem, kind)
    raise SpecError(f"{split} sample {index}: {ATTEMPTS} draws stayed under contrast={spec.contrast}; lower it")


_words = cache(vocabulary.words)


@contextmanager
def _seeded(identity: str) -> Iterator[random.Random]:
    seed = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest())
    before = random.getstate()
    random.seed(seed)
    cv2.setRNGSeed(seed % 2**31)
    try:
        yield random.Random(seed + 1)
    finally:
        random.setstate(before)


def _draw(spec: DatasetSpec, text: str, font: Path, kind: Background, rng: random.Random) -> Image.Image | None:
    """The finished picture, or None where text and background are too alike."""
    drawn = _scaled(_text(text, font, rng.uniform(-spec.skew, spec.skew)), spec, rng.uniform(*spec.text_scale))
    canvas = _background(kind, spec.height, spec.width)
    left = rng.randint(0, spec.width - drawn.width)
    top = rng.randint(0, spec.height - drawn.height)
    under = canvas.crop((left, top, left + drawn.width, top + drawn.height))
    if abs(_luminance(drawn, drawn.getchannel("A")) - _luminance(under)) < spec.contrast:
        return None
    canvas.paste(drawn, (left, top), drawn)
    return canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0, spec.blur)))


def _text_height(font: ImageFont.FreeTypeFont, text: str) -> int:
    return int(font.getbbox(text)[3])


# TextRecognitionDataGenerator 1.8 calls FreeTypeFont.getsize, which Pillow 10 removed.
computer_text_generator.get_text_height = _text_height


def _text(text: str, font: Path, angle: float) -> Image.Image:
    drawn, _ = computer_text_generator.generate(
        text=text,
        font=str(font),
        text_color="#000000,#FFFFFF",
        font_size=FONT_SIZE,
        orientation=0,
        space_width=1.0,
        character_spacing=0,
        fit=True,
        word_split=False,
    )
    rotated = drawn.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    return rotated.crop(rotated.getbbox())


def _scaled(text: Image.Image, spec: DatasetSpec, scale: float) -> Image.Image:
    factor = scale * min(spec.width / text.width, spec.height / text.height)
    size = max(1, int(text.width * factor)), max(1, int(text.height * factor))
    return text.resize(size, Image.Resampling.LANCZOS)


def _background(kind: Background, height: int, width: int) -> Image.Image:
    match kind:
        case "noise":
            drawn = background_generator.gaussian_noise(height, width)
        case "plain":
            drawn = background_generator.plain_white(height, width)
        case "quasicrystal":
            drawn = background_generator.quasicrystal(height, width)
        case "photo":
            drawn = background_generator.image(height, width, str(vocabulary.photos()))
    return drawn.convert("RGB")


def _luminance(image: Image.Image, mask: Image.Image | None = None) -> float:
    return ImageStat.Stat(image.convert("L"), mask).mean[0]


def png(image: Image.Image) -> bytes:
    """A file's bytes, without loss."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
