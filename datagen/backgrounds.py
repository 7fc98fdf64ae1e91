"""What lies under a text: TextRecognitionDataGenerator's backgrounds, a user's photos, and procedural ones."""

import math
import random
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageOps
from trdg import background_generator

from datagen import colors, fitting, own_files, procedural
from datagen.dictionary import trdg
from datagen.errors import SpecError, reason
from datagen.lines import Background
from datagen.spec import DatasetSpec, Split

RGB = UInt8[NDArray[Any], "h w 3"]

BANDS: dict[Split, tuple[float, float]] = {"train": (0.0, 0.7), "val": (0.7, 0.85), "test": (0.85, 1.0)}
"""The part of each photo's longer side that a split has to itself."""
ZOOM = 3.0
"""Largest crop of a photo, in canvases."""
SMALLEST = 16
"""Pixels of a photo's sides: each split has a part of the longer one."""
REMEMBERED = 16
"""Photos, or parts of one, that a process keeps decoded."""


def draw(spec: DatasetSpec, split: Split, kind: Background, rng: random.Random) -> RGB:
    """A canvas of the background; TextRecognitionDataGenerator's own ask the global generators for their randomness."""
    height, width = spec.height, spec.width
    match kind:
        case "noise":
            return _tinted(background_generator.gaussian_noise(height, width), spec, rng)
        case "plain":
            return _tinted(background_generator.plain_white(height, width), spec, rng)
        case "quasicrystal":
            return cv2.cvtColor(quasicrystal(height, width), cv2.COLOR_GRAY2RGB)
        case "photo":
            return _photo(spec, split, rng)
        case "gradient":
            return procedural.blended(procedural.gradient(height, width, rng), rng)
        case "clouds":
            return procedural.blended(procedural.clouds(height, width, rng), rng)
        case "lines":
            return procedural.blended(procedural.lines(height, width, rng), rng)
        case "shapes":
            return procedural.shapes(height, width, rng)
        case "paper":
            return procedural.paper(height, width, rng)


def rejected(spec: DatasetSpec) -> dict[str, str]:
    """Why a photo of the user's is not used, by its file's name."""
    return _photos(spec.photos)[1] if "photo" in spec.backgrounds else {}


def quasicrystal(height: int, width: int) -> UInt8[NDArray[Any], "h w"]:
    """TextRecognitionDataGenerator's quasicrystal, from the same three numbers of the `random` module.

    Each of its waves is the cosine of a sum, one term by column, one by row: all of them are one matrix product.
    """
    frequency = random.random() * 30 + 20
    phase = random.random() * 2 * math.pi
    count = random.randint(10, 20)
    turns = np.arange(count) * math.pi * 2 / count
    rows = np.outer(np.linspace(-2, 2, height) * math.pi, np.sin(turns) * frequency).astype(np.float32)
    columns = (np.outer(np.linspace(-2, 2, width) * math.pi, np.cos(turns) * frequency) + phase).astype(np.float32)
    waves = np.cos(rows) @ np.cos(columns).T - np.sin(rows) @ np.sin(columns).T
    return (255 - np.rint(255 * waves / count)).clip(0, 255).astype(np.uint8)


def _tinted(white: Image.Image, spec: DatasetSpec, rng: random.Random) -> RGB:
    """White paper, or paper of another shade or color."""
    pixels = np.asarray(white.convert("RGB"))
    if rng.random() >= spec.look.color:
        return pixels
    paper = colors.color(rng.uniform(30, 255), rng, vivid=rng.random() < 0.5)
    return (pixels * (paper / 255)).astype(np.uint8)


def _photo(spec: DatasetSpec, split: Split, rng: random.Random) -> RGB:
    """A crop of a photo, at a zoom of its own, from the split's part of it."""
    photo = _band(rng.choice(_photos(spec.photos)[0]), None if "backgrounds" in spec.shared else split)
    height, width, _ = photo.shape
    most = min(ZOOM, height / spec.height, width / spec.width)
    zoom = rng.uniform(1, most) if most > 1 else most
    h, w = max(1, round(zoom * spec.height)), max(1, round(zoom * spec.width))
    top, left = rng.randint(0, height - h), rng.randint(0, width - w)
    crop = photo[top : top + h, left : left + w]
    return cv2.resize(crop, (spec.width, spec.height), interpolation=cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR)


@cache
def _photos(folder: str | None) -> tuple[tuple[Path, ...], dict[str, str]]:
    """Photos of a folder that can be used, and what is wrong with the others."""
    where = trdg() / "images" if folder is None else Path(folder)
    found, faults = own_files.usable(where, fitting.endings(), _broken)
    if not found:
        fault = next(iter(faults.values()), "looked for .jpg, .png, .webp, ...")
        raise SpecError(f"{where} holds no photos that can be used ({fault})")
    return found, faults


def _broken(path: Path) -> str:
    """What the head of a file tells against it as a photo."""
    try:
        with Image.open(path, formats=fitting.FORMATS) as image:
            small = min(image.size) < SMALLEST
            return f"has {image.width}x{image.height} pixels, too few for a photo" if small else ""
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        return f"cannot be opened as a photo: {reason(error)}"


@lru_cache(REMEMBERED)
def _band(path: Path, split: Split | None) -> RGB:
    """A photo as it is looked at, or the split's part of it."""
    try:
        with Image.open(path, formats=fitting.FORMATS) as image:
            photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        raise SpecError(f"{path} cannot be opened as a photo: {reason(error)}") from error
    if split is None:
        return photo
    along = int(np.argmax(photo.shape[:2]))
    start, stop = (int(share * photo.shape[along]) for share in BANDS[split])
    # A copy: a view would keep the whole photo in memory.
    return photo.take(range(start, stop), along)
