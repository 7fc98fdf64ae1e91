"""Against TextRecognitionDataGenerator itself, in a process that nothing else has patched."""

import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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
ORIGINAL = """
import functools, pickle, random, sys
from types import SimpleNamespace
import numpy as np
from PIL import Image, ImageDraw, ImageFont
ImageFont.FreeTypeFont.getsize = lambda font, text: font.getbbox(text)[2:]
# Its fonts in the layout that every machine has.
ImageFont.truetype = functools.partial(ImageFont.truetype, layout_engine=ImageFont.Layout.BASIC)
from trdg import computer_text_generator, distorsion_generator

def drawn(font, text, size, fill="#000000", spacing=0, space=1.0, outline=0, outline_fill="#282828"):
    image, _ = computer_text_generator.generate(
        text, font, fill, size, 0, space, spacing, True, False, outline, outline_fill
    )
    return np.asarray(image)

class Pen:
    def __init__(self, image, mode=None):
        self.pen = ImageDraw.Draw(image, mode)

    def text(self, place, text, **style):
        self.pen.text((place[0] + 60, place[1] + 60), text, **style)

def drawn_with_a_margin(*arguments, **options):
    larger = lambda mode, size, color: Image.new(mode, (size[0] + 120, size[1] + 120), color)
    computer_text_generator.Image = SimpleNamespace(new=larger)
    computer_text_generator.ImageDraw = SimpleNamespace(Draw=Pen)
    try:
        return drawn(*arguments, **options)
    finally:
        computer_text_generator.Image, computer_text_generator.ImageDraw = Image, ImageDraw

def distorted(image, kind, vertical, horizontal):
    random.seed(3)
    kind = {"sine": "sin", "cosine": "cos"}.get(kind, kind)
    picture = Image.fromarray(image)
    return np.asarray(getattr(distorsion_generator, kind)(picture, picture.convert("RGB"), vertical, horizontal)[0])

calls = pickle.load(sys.stdin.buffer)
pickle.dump([globals()[name](*arguments, **options) for name, arguments, options in calls], sys.stdout.buffer)
"""


def original(*calls: tuple[str, tuple, dict]) -> list[np.ndarray]:
    done = subprocess.run([sys.executable, "-c", ORIGINAL], input=pickle.dumps(calls), capture_output=True, check=True)
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
