import shutil
from pathlib import Path

import pytest

from datagen import fonts
from datagen.errors import SpecError
from datagen.spec import SPLITS, DatasetSpec

CAPITALS_ONLY = {
    "AllerDisplay",
    "Amatic-Bold",
    "AmaticSC-Regular",
    "BEBAS___",
    "Capture_it",
    "Capture_it_2",
    "SEASRN__",
}
EVERY_FONT = fonts.of_split(DatasetSpec(shared=("fonts",)), "train")


def test_splits_share_no_font_and_no_family() -> None:
    of = {split: fonts.of_split(DatasetSpec(), split) for split in SPLITS}
    assert sorted(font for split in SPLITS for font in of[split]) == sorted(EVERY_FONT)
    families = {split: {fonts._family(font) for font in of[split]} for split in SPLITS}
    assert len(families["train"]) > len(families["val"]) == len(families["test"]) > 1
    assert sum(map(len, families.values())) == len(set.union(*families.values()))


def test_weights_of_a_family_stay_together() -> None:
    families = {fonts._family(font) for font in EVERY_FONT if font.stem.startswith(("Lato", "OpenSans"))}
    assert families == {"lato", "open"}


def test_fonts_that_draw_small_letters_as_capitals_are_found() -> None:
    assert {font.stem for font in EVERY_FONT if fonts.capitals_only(font)} == CAPITALS_ONLY


def test_a_font_that_lacks_a_character_is_not_chosen_for_it() -> None:
    assert {font.stem for font in EVERY_FONT if not fonts.draws(font, "a+b")} == {"SEASRN__"}
    assert not any(fonts.draws(font, "日") for font in EVERY_FONT)
    assert all(fonts.draws(font, "two words") for font in EVERY_FONT)


def test_a_users_fonts_need_three_families(tmp_path: Path) -> None:
    for font in EVERY_FONT:
        if font.stem.startswith(("Lato", "Roboto")):
            shutil.copy(font, tmp_path)
    with pytest.raises(SpecError, match="2 font families are too few"):
        fonts.of_split(DatasetSpec(fonts=str(tmp_path)), "val")
    assert len(fonts.of_split(DatasetSpec(fonts=str(tmp_path), shared=("fonts",)), "val")) > 20


def test_a_folder_without_fonts_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="holds no fonts"):
        fonts.of_split(DatasetSpec(fonts=str(tmp_path)), "train")
