"""Against TextRecognitionDataGenerator itself, in a process that nothing else has patched."""

import pickle
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest
from commands import call

from datagen import fonts, lettering
from datagen.spec import DatasetSpec

EVERY_FONT = fonts.of_split(DatasetSpec(shared=("fonts",)), "train")
FONTS = fonts.of_split(DatasetSpec(), "train")[::12]
CASES = [
    {"text": "Reading, 7", "size": 40, "fill": "#000000"},
    {"text": "Outlined", "size": 32, "fill": "#C02010", "outline": 2, "outline_fill": "#FFFFFF"},
    {"text": "far apart", "size": 24, "fill": "#808080", "spacing": 5, "space": 1.5},
]
INSIDE = [{"text": "Hem", "size": 40}, {"text": "Find him", "size": 24, "spacing": 5, "space": 1.5}]
"""No upright font lets these reach over their edges."""
OVER = [
    *({"text": text, "size": 24} for text in ("light-haired", "dogs'", "jÅŐf")),
    {"text": "light-haired", "size": 24, "outline": 2, "outline_fill": "#FFFFFF"},
    {"text": "jolly f", "size": 16, "outline": 5, "spacing": 3},
]
"""Many fonts let these."""


def original(*calls: tuple[str, tuple, dict]) -> list[np.ndarray]:
    done = subprocess.run(call("trdg_original.py"), input=pickle.dumps(calls), capture_output=True, check=True)
    return pickle.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "among", "cases"),
    [
        ("drawn", [font for font in EVERY_FONT if font.stem.endswith(("-Regular", "-Black"))], INSIDE),
        ("drawn_with_a_margin", FONTS, CASES),
        ("drawn_with_a_margin", EVERY_FONT, OVER),
    ],
    ids=["inside", "styles", "over"],
)
def test_text_is_drawn_as_the_original_draws_it_where_it_has_room(name: str, among: list, cases: list) -> None:
    pairs = [(font, case) for font in among for case in cases]
    expected = original(*((name, (str(font),), case) for font, case in pairs))
    for (font, case), image in zip(pairs, expected, strict=True):
        np.testing.assert_array_equal(draw(font, case), image, err_msg=f"{font.stem}: {case}")


def draw(font: Path, case: dict) -> np.ndarray:
    options = dict(case)
    return lettering.draw(options.pop("text"), font, options.pop("size"), **options)


@pytest.mark.parametrize("vertical", [True, False])
def test_distortions_move_pixels_as_the_original_moves_them(vertical: bool) -> None:
    image = draw(FONTS[0], CASES[0])
    kinds: tuple[lettering.Distortion, ...] = ("sine", "cosine", "random")
    expected = original(*(("distorted", (image, kind, vertical, not vertical), {}) for kind in kinds))
    for kind, pixels in zip(kinds, expected, strict=True):
        random.seed(3)
        found = lettering.distort(image, kind, vertical=vertical)
        np.testing.assert_array_equal(found, pixels, err_msg=kind)
