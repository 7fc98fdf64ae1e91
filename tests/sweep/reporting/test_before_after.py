import io
from typing import Any

import numpy as np
import pytest
from jaxtyping import UInt8
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from datagen.dataset import TextImages
from models.files.model import TrainedCodec
from sweep.reporting import before_after
from sweep.reporting.figures import RIGHT, WRONG
from sweep.results.point import Reading


def drawn(trained: TrainedCodec, test_images: TextImages, *readings: list[Reading]) -> list[UInt8[NDArray[Any], "..."]]:
    found = before_after.drawn(trained, test_images.images, *readings)
    return [np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in found]


def has(picture: UInt8[NDArray[Any], "..."], color: str) -> bool:
    wanted = np.round(np.multiply(to_rgb(color), 255))
    return bool((np.abs(picture - wanted).max(-1) <= 1).any())


@pytest.mark.parametrize(("accuracy", "right", "wrong"), [(1.0, True, False), (0.5, True, True)])
def test_what_was_read_stands_above_each_image_in_the_color_of_right_or_wrong(
    trained: TrainedCodec, test_images: TextImages, accuracy: float, right: bool, wrong: bool
) -> None:
    original = [Reading(0, 9, "one", "one", 1.0)]
    first, *others = drawn(trained, test_images, original, [Reading(0, 9, "$one^", "one", accuracy)])
    assert (has(first, RIGHT), has(first, WRONG)) == (right, wrong)
    assert len(others) == before_after.IMAGES - 1
    assert first.shape[1] == before_after.WIDTH


def test_images_that_nobody_has_read_are_drawn_too(trained: TrainedCodec, test_images: TextImages) -> None:
    assert len(drawn(trained, test_images, [], [])) == before_after.IMAGES
