"""Backgrounds that are computed: gradients, clouds, lines, shapes and paper."""

import math
import random
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen import colors

RGB = UInt8[NDArray[Any], "h w 3"]
Shares = Float[NDArray[Any], "h w"]

MILD = 70.0
"""Largest difference of luminance within a procedural background: text must stay readable on it."""


def blended(share: Shares, rng: random.Random) -> RGB:
    """Two colors, mixed by a share from 0 to 1."""
    first = colors.color(rng.uniform(0, 255), rng, vivid=rng.random() < 0.5)
    other = colors.near(first, rng.uniform(5, MILD), rng)
    return (first + share[..., None] * (other - first)).clip(0, 255).astype(np.uint8)


def gradient(height: int, width: int, rng: random.Random) -> Shares:
    """A share that rises along a line or away from a place: uneven light, a screen's surface."""
    x, y = _grid(height, width)
    if rng.random() < 0.5:
        return np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1)).clip(0, 1)
    angle = rng.uniform(0, 2 * math.pi)
    along = x * math.cos(angle) + y * math.sin(angle)
    return (along - along.min()) / (np.ptp(along) + 1e-9)


def clouds(height: int, width: int, rng: random.Random) -> Shares:
    """Noise of several sizes: paper, plaster, stone."""
    drawn = np.random.default_rng(rng.getrandbits(64))
    total = np.zeros((height, width), np.float32)
    for octave in range(rng.randint(1, 3), rng.randint(4, 6)):
        grid = drawn.random((max(2, 2**octave // 2), 2 ** (octave + 1)), np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return (total - total.min()) / (np.ptp(total) + 1e-9)


def lines(height: int, width: int, rng: random.Random) -> Shares:
    """Ruled or checked paper, stripes, bricks of tiles."""
    x, y = (axis * size for axis, size in zip(_grid(height, width), (width, height), strict=True))
    period, share = rng.uniform(5, 40), rng.uniform(0.05, 0.5)
    angle = rng.choice((0.0, math.pi / 2, rng.uniform(0, math.pi)))
    offset = rng.uniform(0, period)
    stripes = ((x * math.cos(angle) + y * math.sin(angle) + offset) % period) < share * period
    if rng.random() < 0.3:
        stripes |= ((x * math.sin(angle) - y * math.cos(angle) + offset) % period) < share * period
    return stripes.astype(np.float32)


def shapes(height: int, width: int, rng: random.Random) -> RGB:
    """Flat areas side by side, as on labels and signs."""
    base = colors.color(rng.uniform(0, 255), rng, vivid=rng.random() < 0.5)
    canvas = np.full((height, width, 3), base, np.uint8)
    for _ in range(rng.randint(1, 5)):
        color = colors.near(base, rng.uniform(5, MILD), rng).tolist()
        corner = rng.randint(-width // 4, width), rng.randint(-height // 2, height)
        size = rng.randint(8, width), rng.randint(4, height)
        if rng.random() < 0.5:
            cv2.rectangle(canvas, corner, (corner[0] + size[0], corner[1] + size[1]), color, cv2.FILLED)
        else:
            cv2.ellipse(canvas, corner, size, rng.uniform(0, 180), 0, 360, color, cv2.FILLED, cv2.LINE_AA)
    return canvas


def paper(height: int, width: int, rng: random.Random) -> RGB:
    """White, greyish or yellowed paper: a sheet, a receipt."""
    sheet = colors.color(rng.uniform(170, 252), rng, vivid=False) - [0, rng.uniform(0, 5), rng.uniform(-8, 12)]
    fibers = rng.uniform(2, 14) * (clouds(height, width, rng) - 0.5)
    grain = np.random.default_rng(rng.getrandbits(64)).standard_normal((height, width), np.float32)
    return (sheet + (fibers + rng.uniform(0.3, 3) * grain)[..., None]).clip(0, 255).astype(np.uint8)


def _grid(height: int, width: int) -> tuple[Float[NDArray[Any], "1 w"], Float[NDArray[Any], "h 1"]]:
    """Places from 0 to 1 along both sides."""
    return np.linspace(0, 1, width, dtype=np.float32)[None, :], np.linspace(0, 1, height, dtype=np.float32)[:, None]
