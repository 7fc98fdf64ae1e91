"""What becomes of a picture when it is taken: light, lens, sensor and file, and enlarging what has few pixels."""

import math
import random
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.light import Picture, lit
from datagen.lines import Look, chance

RGB = UInt8[NDArray[Any], "h w 3"]
Smaller = UInt8[NDArray[Any], "H W 3"] | Float[NDArray[Any], "H W 3"]

SUBPIXELS = np.array([[8, 77, 86, 77, 8]], np.float32) / 256
"""FreeType's default filter for the subpixels of a screen."""
ENLARGING = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
"""How software enlarges images."""


def photographed(picture: RGB, look: Look, x_height: float, rng: random.Random) -> RGB:
    """Light, lens, sensor and file, in this order; each leaves some pictures alone.

    Args:
        x_height: of the text, pixels.
    """
    height, width, _ = picture.shape
    taken = lit(picture, look, rng)
    if reduced := chance(look.low_resolution, rng):
        share = min(1, rng.uniform(*look.x_height) / x_height)
        taken = _smaller(taken, share, subpixel=chance(look.subpixel, rng))
    taken = _filed(_noisy(_blurred(taken, look, rng), look, rng), look, rng)
    return cv2.resize(taken, (width, height), interpolation=rng.choice(ENLARGING)) if reduced else taken


def _smaller(picture: Picture, share: float, *, subpixel: bool) -> Smaller:
    """The picture at a share of its sides: each pixel is the mean of what it covers, or each of its subpixels is."""
    height, width = (max(1, round(share * side)) for side in picture.shape[:2])
    if not subpixel:
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    thirds = cv2.filter2D(cv2.resize(picture, (3 * width, height), interpolation=cv2.INTER_AREA), -1, SUBPIXELS)
    return np.stack([thirds[:, color::3, color] for color in range(3)], 2)


def _blurred(picture: Picture, look: Look, rng: random.Random) -> Picture:
    if chance(look.defocus, rng):
        picture = cv2.filter2D(picture, -1, _disc(rng.uniform(*look.defocus_radius)))
    if chance(look.motion, rng):
        picture = cv2.filter2D(picture, -1, _stroke(rng.uniform(*look.motion_length), rng.uniform(0, math.pi)))
    radius = rng.uniform(0, look.blur)
    return cv2.GaussianBlur(picture, (0, 0), radius) if radius > 0.2 else picture


def _disc(radius: float) -> Float[NDArray[Any], "k k"]:
    """The image of a point that is out of focus."""
    reach = math.ceil(radius)
    x, y = np.meshgrid(*2 * [np.arange(-reach, reach + 1, dtype=np.float32)])
    disc = (radius + 0.5 - np.hypot(x, y)).clip(0, 1)
    return disc / disc.sum()


def _stroke(length: float, angle: float) -> Float[NDArray[Any], "k k"]:
    """The image of a point that moves."""
    reach = math.ceil(length / 2)
    x, y = np.meshgrid(*2 * [np.arange(-reach, reach + 1, dtype=np.float32)])
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    stroke = (length / 2 + 0.5 - abs(along)).clip(0, 1) * (1 - abs(across)).clip(0, 1)
    return stroke / stroke.sum()


def _noisy(picture: Picture, look: Look, rng: random.Random) -> Picture:
    """A camera's noise, for each color or for all alike."""
    if rng.random() >= look.noise:
        return picture
    level = rng.uniform(*look.noise_level)
    size = (*picture.shape[:2], 3 if rng.random() < 0.5 else 1)
    return picture + level * np.random.default_rng(rng.getrandbits(64)).standard_normal(size, np.float32)


def _filed(picture: Picture, look: Look, rng: random.Random) -> RGB:
    """Whole numbers, with the traces of a JPEG file."""
    pixels = picture if picture.dtype == np.uint8 else picture.clip(0, 255).astype(np.uint8)
    if rng.random() >= look.jpeg:
        return pixels
    quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(*look.jpeg_quality)]
    return cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR)
