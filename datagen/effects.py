"""What happens to a picture of text: where the text lies, how the light falls, what the camera and its file add."""

import math
import random
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.lines import Look

RGB = UInt8[NDArray[Any], "h w 3"]
Points = Float[NDArray[Any], "_n 2"]


class Placement(NamedTuple):
    """How a drawn text of `h` times `w` pixels comes to lie on the canvas."""

    homography: Float[NDArray[Any], "3 3"]
    """Projection of the text's pixels onto the canvas's."""
    bend: float
    """Pixels of the text by which its middle lies below its ends."""


def place(shape: tuple[int, int], canvas: tuple[int, int], share: float, look: Look, rng: random.Random) -> Placement:
    """Turns, tilts and bends a text, and finds it a place.

    Args:
        shape: height and width of the drawn text.
        canvas: height and width of the picture.
        share: the text's size, of the largest that fits.
    """
    height, width = shape
    bend = height * rng.uniform(-look.curvature, look.curvature)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    # The bend reaches over the box.
    corners[:2, 1] += min(bend, 0)
    corners[2:, 1] += max(bend, 0)
    moved = _turned(_tilted(corners, look, rng), rng.uniform(-look.skew, look.skew))
    low, extent = moved.min(0), np.ptp(moved, axis=0)
    room = np.array([canvas[1], canvas[0]], np.float32) - 2 * look.margin
    scale = share * (room / extent).min()
    free = room - scale * extent
    offset = look.margin + free * [rng.random(), rng.random()]
    target = (moved - low) * scale + offset
    return Placement(cv2.getPerspectiveTransform(corners, target.astype(np.float32)), bend)


def warp(
    text: UInt8[NDArray[Any], "h w _c"], placement: Placement, canvas: tuple[int, int]
) -> UInt8[NDArray[Any], "H W *_d"]:
    """The text at its place on an empty canvas; of one channel, without its axis."""
    inverse = np.linalg.inv(placement.homography).astype(np.float32)
    u, v, w = np.tensordot(inverse, _grid(canvas), 1)
    u, v = u / w, v / w
    v -= placement.bend * (1 - (2 * u / text.shape[1] - 1) ** 2)
    return cv2.remap(text, u - 0.5, v - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


@cache
def _grid(canvas: tuple[int, int]) -> Float[NDArray[Any], "3 H W"]:
    """Homogeneous coordinates of each pixel's middle."""
    height, width = canvas
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
    return np.stack([x, y, np.ones_like(x)])


def _tilted(corners: Points, look: Look, rng: random.Random) -> Points:
    sides = np.ptp(corners, axis=0)
    shifts = np.array([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in corners])
    # A long line tilts less along its width: its letters would grow out of proportion.
    return corners + look.perspective * shifts * [min(sides), sides[1]] / 2


def _turned(corners: Points, degrees: float) -> Points:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return corners @ np.array([[cos, sin], [-sin, cos]])


def photographed(picture: RGB | Float[NDArray[Any], "h w 3"], look: Look, rng: random.Random) -> RGB:
    """Light, lens, sensor and file, in this order; each leaves some pictures alone."""
    if rng.random() < look.light_falloff:
        picture = picture * _ramp(picture.shape, rng.uniform(0.1, 0.6), 1.0, rng)
    if rng.random() < look.shadow:
        picture = picture * _ramp(picture.shape, rng.uniform(0.2, 0.6), rng.uniform(4, 40), rng)
    radius = rng.uniform(0, look.blur)
    if radius > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), radius)
    if rng.random() < look.noise:
        picture = picture + _noise(picture.shape, rng.uniform(*look.noise_level), rng)
    pixels = picture if picture.dtype == np.uint8 else picture.clip(0, 255).astype(np.uint8)
    return _as_jpeg(pixels, rng.randint(*look.jpeg_quality)) if rng.random() < look.jpeg else pixels


def _ramp(shape: tuple[int, ...], depth: float, steepness: float, rng: random.Random) -> Float[NDArray[Any], "h w 1"]:
    """A factor that falls from 1 to 1 - `depth` along a line across the picture: slowly at steepness 1."""
    height, width = shape[:2]
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(angle)
    along = 0.5 + steepness * (x + y - rng.uniform(-0.5, 0.5)) / 2
    return (1 - depth * along.clip(0, 1))[..., None]


def _noise(shape: tuple[int, ...], level: float, rng: random.Random) -> Float[NDArray[Any], "h w _c"]:
    """A camera's noise, for each color or for all alike."""
    size = (*shape[:2], 3 if rng.random() < 0.5 else 1)
    return level * np.random.default_rng(rng.getrandbits(64)).standard_normal(size, np.float32)


def _as_jpeg(pixels: RGB, quality: int) -> RGB:
    _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(file, cv2.IMREAD_COLOR)
