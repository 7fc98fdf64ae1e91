"""The scale at which a codec of text is given an image: it knows letters of some heights, takes more bits for larger
ones, which no reader needs, and loses smaller ones."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from models.files import tfic
from models.files.framing import WHOLE
from models.files.model import Model, Size
from models.files.pixels import pad, rgb, to_bytes, to_float

KNOWN = 0.25, 0.7
"""Heights of letters that are left as they are, as shares of the canvas."""
AIM = 0.36
"""The height that others get."""
SEEN = 0.1, 0.9
"""Heights at which letters are told from dirt and from areas."""
BLACK = 128
ENOUGH = 0.75
"""Share of the ink at the scale that shows most of it, with which a coarser one is enough."""
TILE = 1024
"""Pixels of a side of what is looked at at once: memory for a whole photo may be missing."""
SCALES = WHOLE // 16, 4 * WHOLE - 1
"""The least and the most."""

Heights = Float[NDArray[np.float64], " letters"]


class Letters(NamedTuple):
    """What is seen of letters in an image, in pixels of the image, whatever the scale."""

    heights: Heights
    ink: float
    """Area."""


@torch.no_grad()
def chosen(model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None) -> int:
    """The scale of an image, in 64ths, by the heights of the letters that the codec itself sees in it.

    The codec gives back text in black on white, where it recognizes text. One that gives back pictures gets every image
    as it is, and so does every codec an image of the size that it was trained on.

    Args:
        quality: the position of the model's dial at which it looks.
    """
    canvas, size = model.canvas, Size(image.shape[1], image.shape[0])
    if canvas is None or canvas == size or model.facts.get("target") != "text":
        return WHOLE
    seen = [_seen(model, image, quality, scale) for scale in _closer(size, canvas)]
    most = max(letters.ink for letters in seen)
    return _aimed(next(letters.heights for letters in seen if letters.ink >= ENOUGH * most) / canvas.height)


def _seen(model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None, scale: int) -> Letters:
    """The letters that the codec sees in the image at a scale: of larger ones it gives back no more than pieces, and of
    smaller ones less ink, if any."""
    assert model.canvas is not None
    looked_at = tfic.resized(image, tfic.scaled(Size(image.shape[1], image.shape[0]), scale))
    places = itertools.product(*(range(0, side, TILE) for side in looked_at.shape[:2]))
    tiles = (looked_at[top : top + TILE, left : left + TILE] for top, left in places)
    heights, areas = np.concatenate([_patches(model, tile, quality) for tile in tiles]).T
    least, most = (share * model.canvas.height for share in SEEN)
    fitting = (heights >= least) & (heights <= most)
    return Letters(heights[fitting] * WHOLE / scale, float(areas[fitting].sum() * (WHOLE / scale) ** 2))


def _closer(size: Size, canvas: Size) -> Iterator[int]:
    """Scales at which to look, each twice the one before: from where the image is about half as high as the canvas, up
    to the image's own; of an image that is less high than the canvas, up to twice that."""
    first = WHOLE
    while first > SCALES[0] and min(tfic.scaled(size, first // 2)) >= canvas.height // 2:
        first //= 2
    last = 2 * WHOLE if size.height < canvas.height else WHOLE
    while first <= last:
        yield first
        first *= 2


def _patches(
    model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None
) -> Float[NDArray[np.float64], "patches 2"]:
    """Heights and areas of the black patches in what the codec gives back, in pixels."""
    codec = model.codec_at(quality)
    x_hat = codec(pad(to_float(rgb(image)), codec.downsampling_factor)).x_hat.clamp(0, 1)
    black = np.asarray(to_bytes(x_hat)[: image.shape[0], : image.shape[1]].mean(2) < BLACK, np.uint8)
    _, _, patches, _ = cv2.connectedComponentsWithStats(black)
    return np.asarray(patches[1:, [cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA]], np.float64)


def _aimed(heights: Heights) -> int:
    """The scale that brings the median of the letters' heights to the one to aim at, if they are not of a known one."""
    height = float(np.median(heights)) if len(heights) else AIM
    if KNOWN[0] <= height <= KNOWN[1]:
        return WHOLE
    return int(np.clip(round(WHOLE * AIM / height), *SCALES))
