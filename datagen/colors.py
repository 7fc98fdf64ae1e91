"""Colors by their luminance, which is what contrast is about."""

import random
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in luminance (ITU-R BT.601)."""

Color = Float[NDArray[Any], "3"]


def color(level: float, rng: random.Random, *, vivid: bool) -> Color:
    """A grey of that luminance, or a color of nearly that: what lies outside 0 to 255 is cut off."""
    if not vivid:
        return np.full(3, level, np.float32)
    hue = np.array([rng.uniform(-128, 128) for _ in range(3)], np.float32)
    return (np.float32(level) + hue - hue @ LUMA).clip(0, 255)


def near(other: Color, difference: float, rng: random.Random) -> Color:
    """A color lighter or darker than another, by about that luminance."""
    up = other @ LUMA + difference <= 255 and (rng.random() < 0.5 or other @ LUMA < difference)
    shade = np.array([rng.uniform(-20, 20) for _ in range(3)], np.float32)
    return (other + shade + np.float32(difference if up else -difference)).clip(0, 255)
