"""Clean renderings of images that have none."""

import numpy as np

from datagen.dataset import TextImages
from sweep.trials import cleaning


def test_the_dial_sees_where_the_text_is(test_images: TextImages) -> None:
    assert test_images.ink is not None
    found = cleaning.ink(test_images.images).astype(float)
    truth = test_images.ink.astype(float)
    assert found.shape == truth.shape
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.8
    error, blank = (np.square(other - truth).mean() for other in (found, 0 * truth))
    assert error < blank / 3
