"""How glyphs come onto paper: in a matrix printer's dots, or unevenly."""

import random
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen import procedural

Cover = UInt8[NDArray[Any], "h w"]


def dotted(glyphs: Cover, pitch: float, rng: random.Random) -> Cover:
    """Dots where the glyphs are.

    Args:
        pitch: pixels from a row of dots to the next.
    """
    height, width = glyphs.shape
    rows, columns = max(1, round(height / pitch)), max(1, round(width / pitch / rng.uniform(0.75, 1)))
    covered = cv2.resize(glyphs, (columns, rows), interpolation=cv2.INTER_AREA)
    # Of thin strokes, no dot covers much.
    printed = covered > rng.uniform(0.3, 0.45) * np.percentile(covered, 95)
    size = rng.uniform(0.75, 1.15)
    row, y = np.divmod((np.arange(height) + 0.5) * rows / height, 1)
    column, x = np.divmod((np.arange(width) + 0.5) * columns / width, 1)
    distance = np.hypot.outer(y - 0.5, x - 0.5).astype(np.float32)
    dots = ((size / 2 - distance) * pitch + 0.5).clip(0, 1)
    return (255 * dots * printed[np.ix_(row.astype(int), column.astype(int))]).astype(np.uint8)


def worn(cover: Cover, rng: random.Random) -> Cover:
    """Less ink at some places: blotched as a stamp's print, striped as a worn thermal head's, or fading."""
    height, width = cover.shape
    wear = rng.choice((_blotches, _stripes, _fading))
    return (cover * wear(height, width, rng)).astype(np.uint8)


def _blotches(height: int, width: int, rng: random.Random) -> Float[NDArray[Any], "h w"]:
    grain = np.random.default_rng(rng.getrandbits(64)).random((height, width), np.float32)
    rough = procedural.clouds(height, width, rng) + rng.uniform(0.1, 0.5) * (cv2.GaussianBlur(grain, (0, 0), 1) - 0.5)
    return (rng.uniform(3, 8) * (rough - rng.uniform(0.2, 0.4)) + 0.5).clip(rng.uniform(0.1, 0.5), 1)


def _stripes(height: int, width: int, rng: random.Random) -> Float[NDArray[Any], "h w"]:
    """White lines along or across the text, where the printer's head heats no more."""
    along = rng.random() < 0.4
    side, most = (height, 2) if along else (width, 8)
    ink = np.ones(side, np.float32)
    for _ in range(rng.randint(1, most)):
        start = rng.randrange(side)
        ink[start : start + rng.randint(1, 3)] = rng.uniform(0, 0.5)
    return np.broadcast_to(ink[:, None] if along else ink, (height, width))


def _fading(height: int, width: int, rng: random.Random) -> Float[NDArray[Any], "h w"]:
    """Ever less ink to one side, as on thermal paper that lay in the sun."""
    return 1 - rng.uniform(0.3, 0.75) * procedural.gradient(height, width, rng)
