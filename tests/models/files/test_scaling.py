"""The scale at which the shipped codec is given an image."""

import io
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from datagen.render import render
from datagen.spec import DatasetSpec
from models.files import scaling, tfic
from models.files.framing import WHOLE
from models.files.model import MIDDLE, RateDial, Size, load_model
from models.shipped import DIAL

SPEC = DatasetSpec(seed=2_030)
LINES = [np.asarray(Image.open(io.BytesIO(render(SPEC, "test", index).image)).convert("RGB")) for index in range(6)]
Pixels = UInt8[NDArray[np.uint8], "h w 3"]


@pytest.fixture(scope="module")
def model() -> RateDial:
    found = load_model(DIAL)
    assert isinstance(found, RateDial)
    return found


def enlarged(image: Pixels, factor: float) -> Pixels:
    return tfic.resized(image, Size(round(256 * factor), round(64 * factor)))


def test_an_image_of_the_models_canvas_is_left_as_it_is(model: RateDial) -> None:
    assert {scaling.chosen(model, line, MIDDLE) for line in LINES} == {WHOLE}


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_lines_of_another_size_are_brought_near_the_one_that_the_codec_knows(model: RateDial, factor: float) -> None:
    scales = [scaling.chosen(model, enlarged(line, factor), MIDDLE) for line in LINES]
    assert 0.5 < np.median(scales) * factor / WHOLE < 1.5


def test_a_large_line_costs_what_a_small_one_does(model: RateDial) -> None:
    lines = [enlarged(line, 4.0) for line in LINES]
    scaled = [tfic.encode(model, line, MIDDLE, scaling.chosen(model, line, MIDDLE)) for line in lines]
    assert sum(map(len, scaled)) < 2 * sum(len(tfic.encode(model, line, MIDDLE)) for line in LINES)


def test_a_headline_of_which_the_codec_sees_pieces_is_made_smaller(model: RateDial) -> None:
    font = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSerif-Bold.ttf"), 110)
    headline = Image.new("RGB", (1_880, 280), "white")
    ImageDraw.Draw(headline).text((40, 60), "An Invoice of the Year", "black", font)
    # Its capitals have 80 pixels, and the codec knows 16 to 45.
    assert 0.2 < scaling.chosen(model, np.asarray(headline), MIDDLE) / WHOLE < 0.6


def test_a_page_is_left_as_it_is(model: RateDial) -> None:
    page = np.concatenate([np.concatenate(LINES[:3]), np.concatenate(LINES[3:])], 1)
    assert scaling.chosen(model, page, MIDDLE) == WHOLE


def test_an_image_without_letters_is_left_as_it_is(model: RateDial) -> None:
    assert scaling.chosen(model, np.full((300, 500, 3), 200, np.uint8), MIDDLE) == WHOLE


def test_a_codec_of_pictures_gets_every_image_as_it_is(model: RateDial) -> None:
    of_pictures = replace(model, facts=model.facts | {"target": "image"})
    assert scaling.chosen(of_pictures, enlarged(LINES[0], 4.0), MIDDLE) == WHOLE
