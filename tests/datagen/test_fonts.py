import shutil
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTCollection, TTFont

from datagen import fonts, glyphs
from datagen.errors import SpecError
from datagen.lines import READABLE
from datagen.spec import SPLITS, DatasetSpec

EVERY_FONT = fonts.of_split(DatasetSpec(shared=("fonts",)), "train")


def broken(font: Path, to: Path) -> Path:
    """A font that opens, but none of whose outlines can be drawn."""
    to.parent.mkdir(exist_ok=True)
    outlines = TTFont(font).getTableData("glyf")
    to.write_bytes(font.read_bytes().replace(outlines, b"\x7f" * len(outlines)))
    return to


def test_splits_share_no_font_and_no_family() -> None:
    of = {split: fonts.of_split(DatasetSpec(), split) for split in SPLITS}
    assert sorted(font for split in SPLITS for font in of[split]) == sorted(EVERY_FONT)
    families = {split: {fonts._family(font) for font in of[split]} for split in SPLITS}
    assert len(families["train"]) > len(families["val"]) == len(families["test"]) > 1
    assert sum(map(len, families.values())) == len(set.union(*families.values()))


def test_weights_of_a_family_stay_together() -> None:
    families = {fonts._family(font) for font in EVERY_FONT if font.stem.startswith(("Lato", "OpenSans"))}
    assert families == {"lato", "open"}


def test_a_broken_font_is_left_out_and_named(tmp_path: Path) -> None:
    lato = next(font for font in EVERY_FONT if font.stem == "Lato-Regular")
    shutil.copy(lato, tmp_path)
    shutil.copy(broken(lato, tmp_path / "a" / "outlines.ttf"), tmp_path)
    (tmp_path / "text.otf").write_text("no font")
    own = DatasetSpec(fonts=str(tmp_path), shared=("fonts",))
    assert [font.name for font in fonts.of_split(own, "val")] == ["Lato-Regular.ttf"]
    assert fonts.rejected(own) == {
        "a/outlines.ttf": "a/outlines.ttf draws none of the allowed characters",
        "outlines.ttf": "outlines.ttf draws none of the allowed characters",
        "text.otf": "text.otf cannot be opened as a font: unknown file format",
    }


def test_fonts_lie_in_subfolders_and_in_files_of_every_kind(tmp_path: Path) -> None:
    lato = next(font for font in EVERY_FONT if font.stem == "Lato-Regular")
    (tmp_path / "sub").mkdir()
    collection = TTCollection()
    collection.fonts = [TTFont(lato), TTFont(lato)]
    collection.save(tmp_path / "sub" / "two.ttc")
    web = TTFont(lato)
    web.flavor = "woff"
    web.save(tmp_path / "sub" / "web.woff")
    found = fonts.of_split(DatasetSpec(fonts=str(tmp_path), shared=("fonts",)), "val")
    assert [font.name for font in found] == ["two.ttc", "web.woff"]
    assert {glyphs.fault(font, "Lato", READABLE) for font in found} == {""}


def test_a_users_fonts_need_three_families(tmp_path: Path) -> None:
    for font in EVERY_FONT:
        if font.stem.startswith(("Lato", "Roboto")):
            shutil.copy(font, tmp_path)
    with pytest.raises(SpecError, match="2 font families are too few"):
        fonts.of_split(DatasetSpec(fonts=str(tmp_path)), "val")
    assert len(fonts.of_split(DatasetSpec(fonts=str(tmp_path), shared=("fonts",)), "val")) > 20


def test_more_fonts_stand_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "text.otf").write_text("no font")
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"
    shutil.copy(own, tmp_path)
    spec = DatasetSpec(more_fonts=str(tmp_path))
    of = {split: fonts.of_split(spec, split) for split in SPLITS}
    assert {font for split in SPLITS for font in of[split]} == {*EVERY_FONT, tmp_path / own.name}
    assert list(fonts.rejected(spec)) == ["text.otf"]


def test_a_folder_without_fonts_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="holds no fonts"):
        fonts.of_split(DatasetSpec(fonts=str(tmp_path)), "train")
