import random

import numpy as np
import pytest

from datagen import camera
from datagen.lines import Look

CHECKED = np.repeat(255 * (np.indices((64, 256)).sum(0) % 2).astype(np.uint8)[..., None], 3, 2)
"""Pixels of black and white by turns."""
POINT = np.zeros((64, 256, 3), np.uint8)
POINT[32, 128] = 255
HALVES = np.repeat(np.where(np.arange(256) < 129, 0, 255).astype(np.uint8)[None, :, None], 64, 0).repeat(3, 2)


def taken(picture: np.ndarray, x: float, seed: int = 0, **look) -> np.ndarray:
    """The picture, whose text has an x of that height, with no other effects."""
    only = Look(light_falloff=0, shadow=0, blur=0, noise=0, jpeg=0, **look)
    return camera.photographed(picture, only, x, random.Random(seed))


def test_without_effects_a_picture_stays() -> None:
    np.testing.assert_array_equal(taken(CHECKED, 30), CHECKED)


def test_an_image_of_few_pixels_has_no_fine_detail() -> None:
    few = taken(CHECKED, 30, low_resolution=1, x_height=(6, 12))
    assert few.shape == CHECKED.shape
    assert few.std() < 20 < CHECKED.std()
    assert abs(few.mean() - CHECKED.mean()) < 2


def test_the_text_decides_how_few_pixels_there_are() -> None:
    coarse, fine = (taken(POINT, x, low_resolution=1, x_height=(8, 8)) for x in (32, 16))
    assert (coarse > 0).sum() > (fine > 0).sum() > 3
    np.testing.assert_array_equal(taken(CHECKED, 5, low_resolution=1, x_height=(8, 8)), CHECKED)


def test_subpixels_color_the_edges_of_grey_pictures_and_nothing_else() -> None:
    grey, colored = (taken(HALVES, 30, low_resolution=1, subpixel=share) for share in (0, 1))
    assert np.ptp(grey, axis=2).max() == 0
    fringe = np.ptp(colored.astype(int), axis=2)
    assert fringe.max() > 30
    assert fringe[:, :90].max() == fringe[:, 170:].max() == 0


def spread(picture: np.ndarray) -> np.ndarray:
    """Standard deviations of a point's image along and across its longer axis, pixels."""
    weights = picture[..., 0].astype(float) / picture[..., 0].sum()
    places = np.indices(weights.shape).reshape(2, -1)
    return np.sqrt(np.abs(np.linalg.eigvalsh(np.cov(places, aweights=weights.ravel()))))[::-1]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_out_of_focus_is_a_disc_and_what_moves_a_stroke(seed: int) -> None:
    disc = spread(taken(POINT, 30, seed, defocus=1, defocus_radius=(3, 3)))
    stroke = spread(taken(POINT, 30, seed, motion=1, motion_length=(9, 9)))
    assert disc[0] == pytest.approx(disc[1], rel=0.05)
    assert 1.2 < disc[0] < 2.2
    assert stroke[0] > 2 > 3 * stroke[1]


def test_blur_keeps_the_light() -> None:
    assert camera._disc(2.3).sum() == pytest.approx(1)
    assert camera._stroke(4.7, 1.0).sum() == pytest.approx(1)
