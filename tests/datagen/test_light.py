import random
from dataclasses import replace

import numpy as np

from datagen import light
from datagen.lines import Look

SHAPE = (64, 256, 3)
GREY = np.full(SHAPE, 120, np.uint8)


def test_a_fold_has_a_lighter_and_a_darker_side() -> None:
    factors = [light.folds(SHAPE, random.Random(seed)) for seed in range(20)]
    assert all(0.85 < np.median(factor) < 1.15 for factor in factors)
    assert sum(factor.max() > 1.01 and factor.min() < 0.99 for factor in factors) > 15


def test_glare_only_lightens_and_leaves_most_of_the_picture_alone() -> None:
    shone = [light.glare(GREY, random.Random(seed)) for seed in range(20)]
    assert all(picture.min() >= 120 and picture.max() <= 255 for picture in shone)
    assert sum(picture.max() > 150 for picture in shone) > 10
    assert np.mean([picture < 130 for picture in shone]) > 0.5


def test_moire_waves_around_what_was_there_and_is_colored() -> None:
    waves = [light.moire(SHAPE, random.Random(seed)) for seed in range(20)]
    assert all(abs(wave.mean() - 1) < 0.02 and wave.std() > 0.015 for wave in waves)
    assert sum(bool(np.ptp(wave, axis=2).max() > 0.02) for wave in waves) > 10


def test_light_falls_on_the_share_of_images_that_is_asked_for() -> None:
    for name in ("folds", "glare", "moire"):
        for share, least, most in ((0.0, 0, 0), (0.5, 20, 80), (1.0, 100, 100)):
            look = replace(Look(light_falloff=0, shadow=0), **{name: share})
            pictures = [light.lit(GREY, look, random.Random(seed)) for seed in range(100)]
            assert least <= sum(picture is not GREY for picture in pictures) <= most, name
