import random
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from trdg import background_generator

from datagen import backgrounds
from datagen.errors import SpecError
from datagen.lines import Background
from datagen.spec import SPLITS, DatasetSpec

SPEC = DatasetSpec()


@pytest.mark.parametrize("kind", get_args(Background))
def test_every_background_is_a_canvas_and_varies(kind: Background) -> None:
    drawn = [backgrounds.draw(SPEC, "train", kind, random.Random(seed)) for seed in range(8)]
    assert {(image.shape, image.dtype) for image in drawn} == {((64, 256, 3), np.dtype(np.uint8))}
    assert len({image.tobytes() for image in drawn}) > 3


@pytest.mark.parametrize("shape", [(64, 256), (32, 100)])
def test_a_quasicrystal_is_the_originals(shape: tuple[int, int]) -> None:
    random.seed(5)
    expected = np.asarray(background_generator.quasicrystal(*shape).convert("L"), int)
    random.seed(5)
    assert np.abs(backgrounds.quasicrystal(*shape) - expected).max() <= 1


def test_white_backgrounds_are_the_originals_where_no_color_is_asked_for() -> None:
    plain = replace(SPEC, look=replace(SPEC.look, color=0.0))
    assert (backgrounds.draw(plain, "train", "plain", random.Random(0)) == 255).all()
    noise = backgrounds.draw(plain, "train", "noise", random.Random(0))
    assert noise.mean() == pytest.approx(235, abs=1)
    assert noise.std() == pytest.approx(10, abs=1)


def test_splits_share_no_pixel_of_a_photo(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 2000).astype(np.uint8)[None, :, None], (100, 2000, 3))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    spec = replace(SPEC, photos=str(tmp_path))
    seen = {
        split: {
            int(value)
            for seed in range(40)
            for value in backgrounds.draw(spec, split, "photo", random.Random(seed))[0, :, 0]
        }
        for split in SPLITS
    }
    assert max(seen["train"]) <= min(seen["val"])
    assert max(seen["val"]) <= min(seen["test"])
    shared = replace(spec, shared=("backgrounds",))
    assert min(backgrounds.draw(shared, "test", "photo", random.Random(seed)).min() for seed in range(40)) < 100


def test_a_photo_smaller_than_the_canvas_is_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (50, 30), "red").save(tmp_path / "small.png")
    drawn = backgrounds.draw(replace(SPEC, photos=str(tmp_path)), "val", "photo", random.Random(0))
    assert drawn.shape == (64, 256, 3)


def test_a_file_that_is_no_photo_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(SpecError, match="holds no photos"):
        backgrounds.draw(replace(SPEC, photos=str(tmp_path)), "val", "photo", random.Random(0))
    (tmp_path / "broken.png").write_text("no photo")
    with pytest.raises(SpecError, match=r"broken\.png cannot be opened"):
        backgrounds.draw(replace(SPEC, photos=str(tmp_path)), "val", "photo", random.Random(0))


def test_photos_of_too_few_pixels_are_left_out_and_named(tmp_path: Path) -> None:
    for side in (1, 3, 15, 16):
        Image.new("RGB", (side, 40), "red").save(tmp_path / f"{side}.png")
    spec = replace(SPEC, photos=str(tmp_path))
    assert {path.name for path in backgrounds._photos(spec.photos)[0]} == {"16.png"}
    assert backgrounds.rejected(spec)["1.png"] == "1.png has 1x40 pixels, too few for a photo"
    assert backgrounds.rejected(spec).keys() == {"1.png", "3.png", "15.png"}
    for split in SPLITS:
        for seed in range(20):
            assert backgrounds.draw(spec, split, "photo", random.Random(seed)).shape == (64, 256, 3)


def test_a_photo_that_claims_to_be_huge_is_named(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(SpecError, match=r"bomb\.png cannot be opened as a photo: .*decompression bomb"):
        backgrounds.draw(replace(SPEC, photos=str(tmp_path)), "val", "photo", random.Random(0))


def test_a_photo_lies_as_it_is_looked_at(tmp_path: Path) -> None:
    halves = Image.new("RGB", (600, 300), "black")
    halves.paste("white", (0, 0, 600, 150))
    exif = Image.Exif()
    exif[0x0112] = 3
    halves.save(tmp_path / "turned.jpg", exif=exif)
    spec = replace(SPEC, photos=str(tmp_path), shared=("backgrounds",))
    drawn = [backgrounds.draw(spec, "train", "photo", random.Random(seed)).mean((1, 2)) for seed in range(20)]
    assert all(rows[0] <= rows[-1] + 1 for rows in drawn)
    assert any(rows[0] < rows[-1] for rows in drawn)


def test_a_bounded_number_of_photos_stays_decoded(tmp_path: Path) -> None:
    for number in range(backgrounds.REMEMBERED + 3):
        Image.new("RGB", (300, 100)).save(tmp_path / f"{number}.png")
        part = backgrounds._band(tmp_path / f"{number}.png", "val")
        assert part.base is None
    assert backgrounds._band.cache_info().currsize == backgrounds.REMEMBERED
