import string
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont

from datagen import fonts, glyphs
from datagen.lines import READABLE
from datagen.spec import DatasetSpec

EVERY_FONT = fonts.of_split(DatasetSpec(shared=("fonts",)), "train")
CAPITALS_ONLY = {
    "AllerDisplay",
    "Amatic-Bold",
    "AmaticSC-Regular",
    "BEBAS___",
    "Capture_it",
    "Capture_it_2",
    "SEASRN__",
}


def remapped(font: Path, to: Path, drawn_as: dict[str, str]) -> Path:
    """A font that draws some characters as others."""
    changed = TTFont(font)
    for table in changed["cmap"].tables:
        table.cmap |= {
            ord(c): table.cmap[ord(as_this)] for c, as_this in drawn_as.items() if ord(as_this) in table.cmap
        }
    changed.save(to)
    return to


def test_fonts_that_draw_small_letters_as_capitals_are_found() -> None:
    assert {font.stem for font in EVERY_FONT if glyphs.capitals_only(font)} == CAPITALS_ONLY


def test_a_font_that_lacks_a_character_is_not_chosen_for_it() -> None:
    assert {font.stem for font in EVERY_FONT if glyphs.fault(font, "a+b", READABLE)} == {"SEASRN__"}
    assert all(glyphs.fault(font, "日", READABLE) == "lacks '日'" for font in EVERY_FONT)
    assert not any(glyphs.fault(font, "two words", "tworsd") for font in EVERY_FONT)


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
    assert {font.stem for font in EVERY_FONT if "as it draws" in glyphs.fault(font, text, READABLE)} == stems


def test_characters_that_are_never_written_are_taken_for_none() -> None:
    bebas = next(font for font in EVERY_FONT if font.stem == "BEBAS___")
    assert glyphs.fault(bebas, "2026", READABLE) == "draws '0' as it draws 'O'"
    assert glyphs.fault(bebas, "2026", string.digits) == ""


def test_a_font_without_an_outline_of_its_own_for_small_letters_draws_no_text_of_them(tmp_path: Path) -> None:
    """One cannot tell whether it wrote `men` or `MEN`."""
    lato = next(font for font in EVERY_FONT if font.stem == "Lato-Regular")
    unicase = remapped(lato, tmp_path / "unicase.ttf", dict(zip("acemnrsuvxz", "ACEMNRSUVXZ", strict=True)))
    assert not glyphs.capitals_only(unicase)
    assert glyphs.fault(unicase, "man", READABLE) == "draws 'm' as it draws 'M'"
    assert glyphs.fault(unicase, "big 27", READABLE) == ""


def test_letters_of_two_scripts_may_look_alike() -> None:
    dejavu = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    assert glyphs.fault(dejavu, "Đ", "ÐĐ") == "draws 'Đ' as it draws 'Ð'"
    assert glyphs.fault(dejavu, "\N{CYRILLIC CAPITAL LETTER A}", "A\N{CYRILLIC CAPITAL LETTER A}") == ""
    assert any(glyphs._similar(dejavu, list("A\N{CYRILLIC CAPITAL LETTER A}")))
