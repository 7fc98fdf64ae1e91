import shutil
import string
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTCollection, TTFont

from datagen import fonts
from datagen.errors import SpecError
from datagen.lines import READABLE
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


def remapped(font: Path, to: Path, drawn_as: dict[str, str]) -> Path:
    """A font that draws some characters as others."""
    changed = TTFont(font)
    for table in changed["cmap"].tables:
        table.cmap |= {
            ord(c): table.cmap[ord(as_this)] for c, as_this in drawn_as.items() if ord(as_this) in table.cmap
        }
    changed.save(to)
    return to


def broken(font: Path, to: Path) -> Path:
    """A font that opens, but none of whose outlines can be drawn."""
    to.parent.mkdir(exist_ok=True)
    changed = TTFont(font)
    start, length = changed.reader.tables["glyf"].offset, changed.reader.tables["glyf"].length
    data = bytearray(font.read_bytes())
    data[start : start + length] = b"\x7f" * length
    to.write_bytes(data)
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


def test_fonts_that_draw_small_letters_as_capitals_are_found() -> None:
    assert {font.stem for font in EVERY_FONT if fonts.capitals_only(font)} == CAPITALS_ONLY


def test_a_font_that_lacks_a_character_is_not_chosen_for_it() -> None:
    assert {font.stem for font in EVERY_FONT if fonts.fault(font, "a+b", READABLE)} == {"SEASRN__"}
    assert all(fonts.fault(font, "日", READABLE) == "lacks '日'" for font in EVERY_FONT)
    assert not any(fonts.fault(font, "two words", "tworsd") for font in EVERY_FONT)


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("€5", {"AmaticSC-Regular"}),
        ("(a", {"Capture_it_2"}),
        ("HOME", {"BEBAS___", "SEASRN__"}),
        ("1st", {"SEASRN__"}),
    ],
)
def test_a_character_that_looks_like_another_is_left_to_other_fonts(text: str, stems: set[str]) -> None:
    assert {font.stem for font in EVERY_FONT if "as it draws" in fonts.fault(font, text, READABLE)} == stems


def test_characters_that_are_never_written_are_taken_for_none() -> None:
    bebas = next(font for font in EVERY_FONT if font.stem == "BEBAS___")
    assert fonts.fault(bebas, "2026", READABLE) == "draws '0' as it draws 'O'"
    assert fonts.fault(bebas, "2026", string.digits) == ""


def test_a_font_without_an_outline_of_its_own_for_small_letters_draws_no_text_of_them(tmp_path: Path) -> None:
    """One cannot tell whether it wrote `men` or `MEN`."""
    lato = next(font for font in EVERY_FONT if font.stem == "Lato-Regular")
    unicase = remapped(lato, tmp_path / "unicase.ttf", dict(zip("acemnrsuvxz", "ACEMNRSUVXZ", strict=True)))
    assert not fonts.capitals_only(unicase)
    assert fonts.fault(unicase, "man", READABLE) == "draws 'm' as it draws 'M'"
    assert fonts.fault(unicase, "big 27", READABLE) == ""


def test_letters_of_two_scripts_may_look_alike() -> None:
    dejavu = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    assert fonts.fault(dejavu, "Đ", "ÐĐ") == "draws 'Đ' as it draws 'Ð'"
    assert fonts.fault(dejavu, "\N{CYRILLIC CAPITAL LETTER A}", "A\N{CYRILLIC CAPITAL LETTER A}") == ""
    assert list(fonts._similar(dejavu, "A\N{CYRILLIC CAPITAL LETTER A}")) != []


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
    assert {fonts.fault(font, "Lato", READABLE) for font in found} == {""}


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
