"""Where a text lies on its canvas: turned, tilted and bent."""

import math
import random
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.lines import Look

Points = Float[NDArray[Any], "_n 2"]


class Placement(NamedTuple):
    """How a drawn text of `h` times `w` pixels comes to lie on the canvas."""

    homography: Float[NDArray[Any], "3 3"]
    """Projection of the text's pixels onto the canvas's."""
    bend: float
    """Pixels of the text by which its middle lies below its ends."""
    scale: float
    """Pixels of the canvas for one of the text's, before it is tilted."""


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
    return Placement(cv2.getPerspectiveTransform(corners, target.astype(np.float32)), bend, float(scale))


def warp(
    text: UInt8[NDArray[Any], "h w _c"], placement: Placement, canvas: tuple[int, int]
) -> UInt8[NDArray[Any], "H W *_d"]:
    """The text at its place on an empty canvas; of one channel, without its axis."""
    inverse = np.linalg.inv(placement.homography).astype(np.float32)
    u, v, w = np.tensordot(inverse, _grid(canvas), 1)
    u, v = u / w, v / w
    v -= placement.bend * (1 - (2 * u / text.shape[1] - 1) ** 2)
    return cv2.remap(text, u - 0.5, v - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def shifted(placement: Placement, right: float, down: float) -> Placement:
    """The placement of what lies beside a text, by so many of the text's pixels."""
    shift = np.array([[1, 0, right], [0, 1, down], [0, 0, 1]])
    return placement._replace(homography=placement.homography @ shift)


def project(homography: Float[NDArray[Any], "3 3"], points: Points) -> Points:
    """Where points lie on the other side of a projection."""
    u, v, w = homography @ np.c_[points, np.ones(len(points))].T
    return np.stack([u / w, v / w], 1)


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
