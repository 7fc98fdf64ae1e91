"""One sample from (specification, split, index): text, font, background, and how they meet.

TextRecognitionDataGenerator and OpenCV take their randomness from global generators; each sample seeds those from its
own identity, so that a sample is the same on every worker, in any order.
"""

import hashlib
import os
import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from datagen import backgrounds, camera, colors, effects, fonts, glyphs, lettering, printing, surroundings, texts
from datagen.effects import Placement
from datagen.errors import SpecError, reason
from datagen.lines import Look, chance
from datagen.sample import RGB, Ink, Sample, ink_png, png
from datagen.scenes import Scene
from datagen.spec import DatasetSpec, Split

Style = Literal["plain", "outlined", "dotted"]
"""How a text's glyphs are drawn."""

SIZES = (16, 24, 32, 48, 64, 96, 128)
"""Pixels at which text is drawn, before it is scaled down to its place."""
COVERED = 25
"""Opacity of a pixel of text, of 255, from where on the luminance of the background under it counts."""
OUTLINE = 100.0
"""Luminance by which an outline differs from the background, away from the text's."""


def render(spec: DatasetSpec, split: Split, index: int) -> Sample:
    """Draws sample `index` of a split: the same bytes for the same arguments, always.

    Raises:
        SpecError: the specification leaves nothing to write, or no font to write it with.
    """
    with _seeded(f"{spec.seed}/{split}/{index}") as rng:
        spec = spec.within(_scene(spec, rng))
        text, font = _written(spec, split, rng)
        kind = rng.choice(spec.backgrounds)
        under = backgrounds.draw(spec, split, kind, rng)
        lettered, ink, x_height = _lettered(under, text, font, spec, split, rng)
        picture = camera.photographed(lettered, spec.look, x_height, rng)
    # A file's name may be of bytes that are no text.
    name = os.fsencode(font.stem).decode(errors="replace")
    return Sample(png(picture), text, index, name, kind, ink_png(ink))


def _scene(spec: DatasetSpec, rng: random.Random) -> Scene | None:
    if not spec.scenes:
        return None
    shares = [scene.share for scene in spec.scenes]
    return rng.choices((*spec.scenes, None), (*shares, max(0, 1 - sum(shares))))[0]


@contextmanager
def _seeded(identity: str) -> Generator[random.Random]:
    seed = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest())
    before = random.getstate()
    random.seed(seed)
    cv2.setRNGSeed(seed % 2**31)
    try:
        yield random.Random(seed + 1)
    finally:
        random.setstate(before)


def _written(spec: DatasetSpec, split: Split, rng: random.Random) -> tuple[str, Path]:
    """A text, and a font that has all its characters; what the font draws in capitals is labeled so."""
    text, there = texts.draw(spec, split, rng), fonts.of_split(spec, split)
    faults: dict[Path, str] = {}
    for font in rng.sample(there, len(there)):
        shown = text.upper() if glyphs.capitals_only(font) else text
        if not texts.allowed(spec.texts, shown):
            faults[font] = "draws it in capitals, which are not allowed"
        elif fault := glyphs.fault(font, shown, spec.texts.characters):
            faults[font] = fault
        else:
            return shown, font
    font = min(faults)
    raise SpecError(
        f"no {split} font draws {text!r} so that it can be read: {font.name}, for one, {faults[font]}; limit "
        "characters, or add fonts"
    )


def _lettered(
    under: RGB, text: str, font: Path, spec: DatasetSpec, split: Split, rng: random.Random
) -> tuple[RGB, Ink, float]:
    """The text over its background; what its glyphs cover, without an outline; pixels of a small x's height."""
    look, canvas, share = spec.look, (under.shape[0], under.shape[1]), rng.uniform(*spec.look.size)
    size = _size(text, font, canvas, share)
    style, layers = _layers(text, font, size, look, rng)
    shape = layers.shape[0], layers.shape[1]
    placement = effects.place(shape, canvas, share, look, rng)
    cover, *inner = cv2.split(effects.warp(layers, placement, canvas))
    ink = inner[0] if inner else cover
    if chance(look.panel, rng):
        under = surroundings.panel(under, shape, placement, look, rng)
    fill, outline = _colors(under, cover, look, rng)
    picture = Image.fromarray(under)
    if style == "outlined":
        picture.paste(outline, mask=Image.fromarray(cover))
    marks = ink if style == "outlined" else cover
    if chance(look.neighbor, rng):
        marks = np.maximum(marks, _neighbor(font, size, shape, placement, spec, split, rng))
    if chance(look.frame, rng):
        marks = surroundings.framed(marks, shape, placement, rng)
    if chance(look.worn, rng):
        marks = printing.worn(marks, rng)
    picture.paste(fill, mask=Image.fromarray(marks))
    return np.asarray(picture), ink, size * placement.scale * glyphs.extent(font, "x")[0]


def _neighbor(
    font: Path, size: int, shape: tuple[int, int], placement: Placement, spec: DatasetSpec, split: Split,
    rng: random.Random,
) -> Ink:  # fmt: skip
    """What another line, above or below, covers."""
    line = lettering.draw(texts.draw(spec, split, rng), font, size, fill="#FFFFFF")[..., 3]
    return surroundings.beside(line, shape, placement, (spec.height, spec.width), rng)


def _layers(
    text: str, font: Path, size: int, look: Look, rng: random.Random
) -> tuple[Style, UInt8[NDArray[Any], "h w _c"]]:
    """How much of each pixel the text covers, of 255; where it is outlined or dotted, so and as its glyphs would."""
    outline = rng.randint(*look.outline_width) if rng.random() < look.outline else 0
    spacing, space = round(size * rng.uniform(*look.spacing)), rng.uniform(*look.space)
    try:
        drawn = lettering.draw(
            text, font, size, fill="#FFFFFF", spacing=spacing, space=space, outline=outline, outline_fill="#000000"
        )
    except OSError as error:
        raise SpecError(f"{font} cannot draw {text!r} at {size} pixels: {reason(error)}; take it away") from error
    if rng.random() < look.distortion:
        kind, vertical = rng.choice(("sine", "cosine", "random")), rng.random() < 0.5
        drawn = lettering.distort(drawn, kind, vertical=vertical)
    if outline:
        return "outlined", drawn[..., [3, 0]]
    if chance(look.dotted, rng):
        dots = printing.dotted(drawn[..., 3], size / rng.uniform(*look.dots), rng)
        return "dotted", np.dstack([dots, drawn[..., 3]])
    return "plain", drawn[..., 3:]


def _size(text: str, font: Path, canvas: tuple[int, int], share: float) -> int:
    """The least of SIZES at which the text fills that share of the canvas: scaling down little keeps edges clean."""
    height, width = glyphs.extent(font, text)
    filling = min(canvas[0] / height, canvas[1] / width)
    return next((size for size in SIZES if size >= share * filling), SIZES[-1])


def _colors(
    under: RGB, cover: UInt8[NDArray[Any], "h w"], look: Look, rng: random.Random
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Colors of the text and of its outline, against what lies under them."""
    covered = (cover > COVERED).astype(np.uint8)
    middle, clutter = (
        float(value[0, 0]) for value in cv2.meanStdDev(cv2.cvtColor(under, cv2.COLOR_RGB2GRAY), mask=covered)
    )
    room, least = {1: 255 - middle, -1: middle}, look.contrast[0] + clutter
    way = 1 if rng.random() < look.light else -1
    if room[way] < least:
        way = max(room, key=room.__getitem__)
    most = min(room[way], look.contrast[1])
    level = middle + way * rng.uniform(min(least, most), most)
    fill = colors.color(level, rng, vivid=rng.random() < look.color)
    outline = colors.color(min(255, max(0, middle - way * OUTLINE)), rng, vivid=False)
    return tuple(map(round, fill.tolist())), tuple(map(round, outline.tolist()))
