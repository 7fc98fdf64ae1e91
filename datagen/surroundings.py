"""What stands around a text: an area of its own, a frame, a neighboring line."""

import random
from typing import Any

import cv2
import numpy as np
from jaxtyping import Int, UInt8
from numpy.typing import NDArray

from datagen import colors, effects
from datagen.effects import Placement
from datagen.lines import Look

RGB = UInt8[NDArray[Any], "h w 3"]
Cover = UInt8[NDArray[Any], "h w"]

FRACTION = 4
"""Binary places of a corner's coordinates."""
WEIGHT = (0.03, 0.1)
"""Width of a frame's lines, of the text's height."""
REACH = (0.15, 0.45)
"""Share of a neighboring line's height that can be seen: too little to be read."""
APART = 0.12
"""Between a text and the line above or below, of the text's height."""


def panel(under: RGB, shape: tuple[int, int], placement: Placement, look: Look, rng: random.Random) -> RGB:
    """The background with an area of one color where a text of that shape will be."""
    corners, painted = _around(shape, placement, rng), under.copy()
    fill = colors.color(rng.uniform(0, 255), rng, vivid=rng.random() < look.color)
    cv2.fillPoly(painted, [corners], fill.tolist(), cv2.LINE_AA, FRACTION)
    if rng.random() < 0.4:
        edge = colors.color(rng.uniform(0, 255), rng, vivid=rng.random() < look.color)
        cv2.polylines(painted, [corners], True, edge.tolist(), rng.randint(1, 3), cv2.LINE_AA, FRACTION)
    return painted


def framed(cover: Cover, shape: tuple[int, int], placement: Placement, rng: random.Random) -> Cover:
    """What the text and a frame around it cover; no frame of which only the uprights would be seen, as letters l."""
    corners, width = _around(shape, placement, rng), max(1, round(rng.uniform(*WEIGHT) * shape[0] * placement.scale))
    top, bottom = (float(side[:, 1].mean()) / 2**FRACTION for side in (corners[:2], corners[2:]))
    if top < 0 and bottom > len(cover):
        return cover
    return cv2.polylines(cover.copy(), [corners], True, [255], width, cv2.LINE_AA, FRACTION)


def beside(
    line: Cover, shape: tuple[int, int], placement: Placement, canvas: tuple[int, int], rng: random.Random
) -> UInt8[NDArray[Any], "H W"]:
    """What can be seen of a line above or below a text of that shape: nothing where there is no room for it.

    Args:
        line: as it is drawn.
        canvas: height and width of the picture.
    """
    height, width = shape
    ends = effects.project(placement.homography, np.array([[u, height / 2] for u in (0, width / 2, width)]))
    above = rng.random() < 0.5
    edge = np.c_[ends[:, 0], np.full(3, 0 if above else canvas[0])]
    rows = effects.project(np.linalg.inv(placement.homography), edge)[:, 1]
    room = (-rows.min() if above else rows.max() - height) - APART * height - abs(placement.bend)
    seen = min(rng.uniform(*REACH) * len(line), room)
    if seen < REACH[0] * len(line):
        return np.zeros(canvas, np.uint8)
    down = rows.min() + seen - len(line) if above else rows.max() - seen
    right = rng.uniform(*sorted((0, width - line.shape[1])))
    return effects.warp(line[..., None], effects.shifted(placement, right, down), canvas)


def _around(shape: tuple[int, int], placement: Placement, rng: random.Random) -> Int[NDArray[Any], "4 2"]:
    """Corners of a box around a text and its bend, in the unit that OpenCV draws fractions in."""
    height, width = shape
    side, over = height * rng.uniform(0.3, 0.8), height * rng.uniform(0.2, 0.5) + abs(placement.bend)
    corners = [[-side, -over], [width + side, -over], [width + side, height + over], [-side, height + over]]
    return np.rint(2**FRACTION * effects.project(placement.homography, np.array(corners))).astype(np.int32)
