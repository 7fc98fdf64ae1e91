import io
import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from datagen import vocabulary
from datagen.errors import SpecError
from datagen.render import Sample, render
from datagen.spec import Background, DatasetSpec


def pixels(sample: Sample) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(sample.image)))


def test_a_sample_is_an_rgb_canvas_with_its_word(spec: DatasetSpec) -> None:
    sample = render(spec, "train", 3)
    assert pixels(sample).shape == (64, 256, 3)
    assert sample.text.casefold() in map(str.casefold, vocabulary.words(spec, "train"))
    assert sample.index == 3


def test_a_sample_depends_on_its_identity_alone(spec: DatasetSpec) -> None:
    first = render(spec, "train", 5)
    random.seed(99)
    render(spec, "test", 1)
    assert render(spec, "train", 5) == first
    assert render(spec, "val", 5) != first
    assert render(replace(spec, seed=1), "train", 5) != first


def test_text_in_a_font_of_capitals_is_labeled_in_capitals(spec: DatasetSpec) -> None:
    drawn = (render(spec, "train", index) for index in range(200))
    capitals = [sample.text for sample in drawn if sample.font in vocabulary.CAPITALS_ONLY]
    assert len(capitals) > 3
    assert all(text == text.upper() for text in capitals)


def test_rendering_leaves_the_global_random_state_alone(spec: DatasetSpec) -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    render(spec, "train", 0)
    assert random.random() == expected


def test_the_aspect_ratio_of_text_is_kept(spec: DatasetSpec) -> None:
    """At full size, text that fills the width leaves height free, and the other way round."""
    full = replace(spec, text_scale=(1.0, 1.0), backgrounds=("plain",), blur=0.0, skew=0.0)
    for index in range(6):
        ink = (pixels(render(full, "train", index)) < 255).any(2)
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        spread = (rows[-1] - rows[0] + 1) / 64, (columns[-1] - columns[0] + 1) / 256
        assert max(spread) > 0.9


def test_text_stands_in_many_places(spec: DatasetSpec) -> None:
    plain = replace(spec, text_scale=(0.5, 0.5), backgrounds=("plain",), blur=0.0)
    tops = {np.flatnonzero((pixels(render(plain, "train", i)) < 255).any((1, 2)))[0] for i in range(10)}
    assert len(tops) > 4


@pytest.mark.parametrize("background", ["noise", "plain", "photo", "quasicrystal"])
def test_every_background_is_drawn(spec: DatasetSpec, background: Background) -> None:
    sample = render(replace(spec, backgrounds=(background,)), "train", 0)
    assert sample.background == background
    assert pixels(sample).std() > 1


def test_an_impossible_contrast_is_reported(spec: DatasetSpec) -> None:
    with pytest.raises(SpecError, match="contrast"):
        render(replace(spec, contrast=256.0), "train", 0)
