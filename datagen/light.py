"""How light falls on a picture: from one side, with shadows, folds and reflections, or through a screen's grid."""

import math
import random
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from datagen.lines import Look, chance

Picture = UInt8[NDArray[Any], "h w 3"] | Float[NDArray[Any], "h w 3"]
Lit = Float[NDArray[Any], "h w 3"]
Factor = Float[NDArray[Any], "h w 1"]


def lit(picture: Picture, look: Look, rng: random.Random) -> Picture:
    """The picture in the light that a look has; many are left alone."""
    if rng.random() < look.light_falloff:
        picture = picture * _ramp(picture.shape, rng.uniform(0.1, 0.6), 1.0, rng)
    if rng.random() < look.shadow:
        picture = picture * _ramp(picture.shape, rng.uniform(0.2, 0.6), rng.uniform(4, 40), rng)
    if chance(look.folds, rng):
        picture = picture * folds(picture.shape, rng)
    if chance(look.moire, rng):
        picture = picture * moire(picture.shape, rng)
    return glare(picture, rng) if chance(look.glare, rng) else picture


def folds(shape: tuple[int, ...], rng: random.Random) -> Factor:
    """Around 1: one side of each fold is lighter than the other, and the crease darker or lighter than both."""
    factor = np.ones((*shape[:2], 1), np.float32)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        across = _across(shape, rng)[..., None]
        sides = rng.uniform(-0.15, 0.15) * np.tanh(across) * np.exp(-np.abs(across) / rng.uniform(15, 120))
        near = (across / rng.uniform(0.7, 2)) ** 2
        factor += sides + rng.uniform(-0.25, 0.1) * np.exp(-near)
    return factor


def glare(picture: Picture, rng: random.Random) -> Lit:
    """A spot or band of a lamp's or the sky's light on a shiny surface."""
    near = (_across(picture.shape, rng) / rng.uniform(10, 60)) ** 2
    if rng.random() < 0.7:
        near = near + (_across(picture.shape, rng) / rng.uniform(10, 100)) ** 2
    light = rng.uniform(0.3, 0.9) * np.exp(-near)[..., None]
    return picture + light * (255 - picture)


def moire(shape: tuple[int, ...], rng: random.Random) -> Lit:
    """Around 1: waves, bent a little, of another phase in each color."""
    along, bent = _across(shape, rng), _across(shape, rng)
    phases = np.arange(3, dtype=np.float32) * rng.uniform(0, 2.1)
    waves = 2 * math.pi * (along / rng.uniform(3, 16) + (bent / rng.uniform(60, 300)) ** 2)
    return 1 + rng.uniform(0.03, 0.14) * np.sin(waves[..., None] + phases)


def _across(shape: tuple[int, ...], rng: random.Random) -> Float[NDArray[Any], "h w"]:
    """Pixels to a line across the picture, negative on one side."""
    height, width = shape[:2]
    angle = rng.uniform(0, math.pi)
    x = np.arange(width, dtype=np.float32)[None, :] - rng.uniform(0, width)
    y = np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0, height)
    return x * math.cos(angle) + y * math.sin(angle)


def _ramp(shape: tuple[int, ...], depth: float, steepness: float, rng: random.Random) -> Factor:
    """A factor that falls from 1 to 1 - `depth` along a line across the picture: slowly at steepness 1."""
    height, width = shape[:2]
    angle = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(angle)
    along = 0.5 + steepness * (x + y - rng.uniform(-0.5, 0.5)) / 2
    return (1 - depth * along.clip(0, 1))[..., None]
