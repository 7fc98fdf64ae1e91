import io
import os
import random
import shutil
import string
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from commands import call
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

from datagen import fonts, glyphs, lettering, shards
from datagen.errors import SpecError
from datagen.lines import Look, Texts
from datagen.render import render
from datagen.sample import Sample, png
from datagen.scenes import Scene
from datagen.spec import PRESETS, SPLITS, DatasetSpec, split_of

STILL = Look(
    color=0, spacing=(0, 0), outline=0, distortion=0, skew=0, perspective=0, curvature=0, light_falloff=0, shadow=0,
    blur=0, noise=0, jpeg=0, light=0, contrast=(255, 255),
)  # fmt: skip
"""Black on white, and nothing else."""


def pixels(sample: Sample) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(sample.image)).convert("RGB"))


@pytest.fixture
def still(spec: DatasetSpec) -> DatasetSpec:
    return replace(spec, look=STILL, backgrounds=("plain",))


def ink(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that the text covers."""
    dark = (pixels(sample) < 200).any(2)
    return np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))


def test_grey_pictures_are_stored_as_such_and_colored_ones_exactly() -> None:
    grey = np.repeat(np.arange(48, dtype=np.uint8).reshape(4, 12, 1), 3, 2)
    colored = np.random.default_rng(0).integers(0, 256, (4, 12, 3), np.uint8)
    for picture, mode in ((grey, "L"), (colored, "RGB")):
        stored = Image.open(io.BytesIO(png(picture)))
        assert stored.mode == mode
        np.testing.assert_array_equal(np.asarray(stored.convert("RGB")), picture)


def test_a_sample_is_an_rgb_canvas_with_its_text(spec: DatasetSpec) -> None:
    sample = render(spec, "train", 3)
    assert pixels(sample).shape == (64, 256, 3)
    assert split_of(sample.text, spec.seed) == "train"
    assert sample.index == 3
    assert sample.background in spec.backgrounds


def coverage(sample: Sample) -> np.ndarray:
    assert sample.ink is not None
    stored = Image.open(io.BytesIO(sample.ink))
    assert stored.mode == "L"
    return np.asarray(stored).astype(int)


def test_the_ink_of_a_still_picture_is_what_is_black(still: DatasetSpec) -> None:
    sample = render(still, "train", 3)
    np.testing.assert_allclose(coverage(sample), 255 - pixels(sample)[..., 0].astype(int), atol=1)


def test_the_ink_is_the_glyphs_without_outline_light_and_camera(still: DatasetSpec) -> None:
    outlined = replace(still, look=replace(STILL, outline=1, outline_width=(2, 2), skew=3, curvature=0.2))
    harsh = replace(outlined, look=replace(outlined.look, light_falloff=1, shadow=1, blur=2, noise=1, jpeg=1))
    for index in range(3):
        sample, other = render(outlined, "train", index), render(harsh, "train", index)
        assert sample.ink == other.ink
        assert sample.image != other.image
        # Black on white, edged in white or grey: only what the fill covers is black.
        black = pixels(sample).max(2) < 20
        assert black.any()
        assert (coverage(sample)[black] > 200).all()


def test_light_lens_wear_and_what_stands_around_a_text_are_no_ink(still: DatasetSpec) -> None:
    bare = replace(still, look=replace(STILL, size=(0.4, 0.6), skew=3, curvature=0.2))
    around = {"panel": 1, "frame": 1, "neighbor": 1, "worn": 1, "folds": 1, "glare": 1, "moire": 1, "defocus": 1}
    full = replace(bare, look=replace(bare.look, **around, motion=1, low_resolution=1, subpixel=1))
    for index in range(6):
        sample, other = render(bare, "train", index), render(full, "train", index)
        assert sample.ink == other.ink
        assert sample.image != other.image


def test_the_ink_of_dots_is_the_whole_glyph(still: DatasetSpec) -> None:
    dotted = replace(still, look=replace(STILL, dotted=1, dots=(12, 12), skew=3, curvature=0.2, size=(1.0, 1.0)))
    for index in range(6):
        sample = render(dotted, "train", index)
        whole, dots = coverage(sample) > 128, pixels(sample).max(2) < 128
        near = np.asarray(Image.fromarray(whole).convert("L").filter(ImageFilter.MaxFilter(9))) > 0
        assert not (dots & ~near).any()
        # Between the dots there is paper, where the ink has none.
        assert (whole & ~dots).sum() > 0.08 * whole.sum()


def test_a_share_of_the_images_is_of_a_scene(spec: DatasetSpec) -> None:
    paper = Scene(share=0.5, words=(1, 1), amounts=1, backgrounds=("paper",), look=STILL)
    scenes = (paper, replace(paper, share=0.2, amounts=0, backgrounds=("clouds",)))
    mixed = replace(spec, scenes=scenes, backgrounds=("plain",))
    samples = [render(mixed, "train", index) for index in range(120)]
    kinds = Counter(sample.background for sample in samples)
    assert kinds.keys() == {"paper", "clouds", "plain"}
    assert kinds["paper"] > kinds["plain"] > 20
    assert all(set(sample.text) & set(string.digits) for sample in samples if sample.background == "paper")


def test_the_release_is_drawn_and_is_always_the_same() -> None:
    release = PRESETS["release"]()
    samples = [render(release, "train", index) for index in range(40)]
    assert {"paper", "plain", "photo"} <= {sample.background for sample in samples}
    assert all(pixels(sample).shape == (64, 256, 3) and coverage(sample).max() > 100 for sample in samples)
    assert [render(release, "train", index) for index in range(0, 40, 8)] == samples[::8]


def test_a_sample_depends_on_its_identity_alone(spec: DatasetSpec) -> None:
    first = render(spec, "train", 5)
    random.seed(99)
    render(spec, "test", 1)
    assert render(spec, "train", 5) == first
    assert render(spec, "val", 5) != first
    assert render(replace(spec, seed=1), "train", 5) != first


def test_splits_share_no_word_and_no_font(spec: DatasetSpec) -> None:
    samples = {split: [render(spec, split, index) for index in range(60)] for split in SPLITS}
    for kept in ("text", "font"):
        of = {split: {getattr(sample, kept).casefold() for sample in samples[split]} for split in SPLITS}
        assert not of["train"] & (of["val"] | of["test"])
        assert not of["val"] & of["test"]


def test_text_in_a_font_of_capitals_is_labeled_in_capitals(spec: DatasetSpec) -> None:
    shared = replace(spec, shared=("fonts",))
    capitals = {font.stem for font in fonts.of_split(shared, "train") if glyphs.capitals_only(font)}
    drawn = (render(shared, "train", index) for index in range(200))
    texts = [sample.text for sample in drawn if sample.font in capitals]
    assert len(texts) > 3
    assert all(text == text.upper() for text in texts)


def test_no_font_draws_capitals_that_are_not_allowed(spec: DatasetSpec) -> None:
    small = replace(spec, texts=Texts(characters=string.ascii_lowercase), shared=("fonts",))
    samples = [render(small, "train", index) for index in range(150)]
    assert all(sample.text.islower() for sample in samples)
    capitals = {font.stem for font in fonts.of_split(small, "train") if glyphs.capitals_only(font)}
    assert not capitals & {sample.font for sample in samples}


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are found otherwise")
def test_bytes_do_not_depend_on_the_libraries_of_the_machine(tmp_path: Path) -> None:
    """Pillow's other layout, raqm, is there where libfribidi is; a file that is no library hides that."""
    for name in ("libfribidi.so", "libfribidi.so.0"):
        (tmp_path / name).write_text("no library")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    without = subprocess.run(call("render_hex.py", "24"), env=environment, capture_output=True, text=True, check=False)
    here = [render(DatasetSpec(), "train", index).image.hex() for index in range(24)]
    assert without.stdout.split() == here, without.stderr


DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
"""Has Hebrew and Arabic."""
WORDS = {"he": "\u05e9\u05dc\u05d5\u05dd", "ar": "\u0633\u0644\u0627\u0645"}
"""Peace."""


@pytest.mark.skipif(not features.check("raqm"), reason="this machine cannot shape")
@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS.keys())
def test_a_text_from_right_to_left_is_drawn_as_a_shaper_draws_it(word: str) -> None:
    shaper = ImageFont.FreeTypeFont(str(DEJAVU), 64, layout_engine=ImageFont.Layout.RAQM)
    page = Image.new("L", (400, 200))
    ImageDraw.Draw(page).text((50, 50), word, fill=255, font=shaper)
    drawn = lettering.draw(word, DEJAVU, 64, spacing=9, space=2.0)[..., 3]
    np.testing.assert_array_equal(drawn, np.asarray(page.crop(page.getbbox())))


def test_without_a_shaper_no_text_from_right_to_left_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    glyphs.load.cache_clear()
    with pytest.raises(SpecError, match="install FriBiDi"):
        lettering.draw(WORDS["he"], DEJAVU, 64)
    assert lettering.draw("peace", DEJAVU, 64).any()


def test_a_fonts_name_may_be_no_text(spec: DatasetSpec, tmp_path: Path) -> None:
    folder = tmp_path / "fonts"
    folder.mkdir()
    shutil.copy(fonts.of_split(spec, "train")[0], folder / "a\udcff.ttf")
    sample = render(replace(spec, fonts=str(folder), shared=("fonts",)), "train", 0)
    assert sample.font == "a\N{REPLACEMENT CHARACTER}"
    shards.write(tmp_path / "shard.parquet", [sample])


def test_rendering_leaves_the_global_random_state_alone(spec: DatasetSpec) -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    render(spec, "train", 0)
    assert random.random() == expected


def test_the_aspect_ratio_of_text_is_kept_and_full_size_touches_two_edges(still: DatasetSpec) -> None:
    full = replace(still, look=replace(STILL, size=(1.0, 1.0)))
    for index in range(6):
        rows, columns = ink(render(full, "train", index))
        assert max(np.ptp(rows) / 63, np.ptp(columns) / 255) > 0.93


def test_a_margin_stays_free(still: DatasetSpec) -> None:
    wide = replace(still, look=replace(STILL, size=(1.0, 1.0), margin=12))
    for index in range(6):
        rows, columns = ink(render(wide, "train", index))
        assert (rows[0] >= 11, rows[-1] <= 52, columns[0] >= 11, columns[-1] <= 244) == (True,) * 4


def test_text_stands_in_many_places(still: DatasetSpec) -> None:
    small = replace(still, look=replace(STILL, size=(0.5, 0.5)))
    assert len({ink(render(small, "train", index))[0][0] for index in range(10)}) > 4


def test_light_and_dark_text_are_as_frequent(still: DatasetSpec) -> None:
    """On grey paper there is room for both."""
    mixed = replace(still, look=replace(STILL, light=0.5, contrast=(60, 100), color=1.0, size=(0.8, 1.0)))
    signs = Counter()
    for index in range(60):
        grey = pixels(render(mixed, "train", index)).mean(2)
        paper = np.median(grey)
        if 100 < paper < 155:
            signs[bool(abs(grey.max() - paper) > abs(grey.min() - paper))] += 1
    assert min(signs[True], signs[False]) > 3


@pytest.mark.parametrize(
    "look",
    [
        {"spacing": (0.5, 0.5)},
        {"distortion": 1.0},
        {"skew": 20.0},
        {"perspective": 0.5},
        {"curvature": 0.5},
        {"light_falloff": 1.0},
        {"shadow": 1.0},
        {"blur": 3.0},
        {"noise": 1.0},
        {"jpeg": 1.0},
        {"outline": 1.0, "contrast": (100, 100)},
        {"panel": 1.0},
        {"frame": 1.0},
        {"neighbor": 1.0},
        {"dotted": 1.0},
        {"worn": 1.0},
        {"folds": 1.0},
        {"glare": 1.0},
        {"moire": 1.0},
        {"low_resolution": 1.0},
        {"defocus": 1.0},
        {"motion": 1.0},
    ],
)
def test_every_effect_changes_the_picture(still: DatasetSpec, look: dict) -> None:
    changed = replace(still, look=replace(STILL, **look))
    assert any(render(changed, "train", index).image != render(still, "train", index).image for index in range(4))


def test_a_text_that_no_font_can_draw_is_named(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("日本", encoding="utf-8")
    texts = Texts(file=str(tmp_path / "lines.txt"), characters="a日本")
    with pytest.raises(SpecError, match=r"no train font draws '日本' so that it can be read: .+ lacks '日'; limit"):
        render(replace(spec, texts=texts, shared=("words",)), "train", 0)


def test_random_texts_of_characters_that_no_pool_has_are_refused(spec: DatasetSpec) -> None:
    odd = replace(spec, texts=Texts(random=1.0, pool=("letters",), characters="日本語"))
    with pytest.raises(SpecError, match="leaves no letter and no digit"):
        render(odd, "train", 0)
