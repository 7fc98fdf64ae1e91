"""Texts in the names of images, or beside them."""

from pathlib import Path

import pytest

from datagen import names
from datagen.errors import DataError, ItemError

WORDS = ("apple", "pear", "10_a", "x_y")


def texts(folder: Path, *files: str) -> list[object]:
    return [label for _, label in names.read(folder, [folder / file for file in files]).labels()]


@pytest.mark.parametrize("form", ["{text}_{number}.png", "{number}_{text}.jpg", "{number}_{text}_{other}.png"])
def test_numbers_first_last_or_both_are_no_part_of_a_text(form: str) -> None:
    files = [form.format(text=text, number=number, other=7 * number) for number, text in enumerate(WORDS * 3)]
    assert texts(Path("in"), *files) == [*WORDS * 3]


def test_the_number_that_counts_the_files_is_not_the_text() -> None:
    assert texts(Path("in"), "0_41.png", "1_73.png", "2_41.png") == ["41", "73", "41"]
    assert texts(Path("in"), "41_0.png", "73_1.png", "41_2.png") == ["41", "73", "41"]


@pytest.mark.parametrize(
    "mark", [" - Copy", " - Copy (2)", " (1)", " copy", " copy 2", " (copy)", " (3rd copy)", " - Kopie"]
)
def test_the_mark_of_a_copy_is_no_part_of_a_text(mark: str) -> None:
    assert texts(Path("in"), "word_1.png", f"word_1{mark}.png") == ["word", "word"]
    assert texts(Path("in"), f"1_word{mark}.png", "2_word.png") == ["word", "word"]
    assert texts(Path("in"), "word.png", f"word{mark}.png", "f (x).png") == ["word", "word", "f (x)"]


def test_names_of_which_nothing_tells_what_is_text_are_refused() -> None:
    with pytest.raises(DataError, match=r"2 of 4 names begin with a number \(0_a\), .* write a CSV file"):
        texts(Path("in"), "0_a.png", "1_b.png", "c_2.png", "d_3.png")


def test_a_name_unlike_the_others_gives_no_text() -> None:
    *others, odd = texts(Path("in"), *(f"{number}_word.png" for number in range(20)), "logo.png")
    assert others == ["word"] * 20
    assert isinstance(odd, ItemError)
    assert "not made of NUMBER_TEXT" in str(odd)


def test_a_text_file_stands_beside_each_image(tmp_path: Path) -> None:
    images = [tmp_path / f"line_000{number}.png" for number in range(3)]
    files = [tmp_path / "line_0000.gt.txt", tmp_path / "line_0001.txt"]
    for file in files:
        file.write_text(file.name, encoding="utf-8-sig")
    beside = names.sidecars(images, files)
    assert beside == dict(zip(images[:2], files, strict=True))
    *given, missing = (label for _, label in names.read_sidecars(tmp_path, images, beside).labels())
    assert given == [b"\xef\xbb\xbfline_0000.gt.txt", b"\xef\xbb\xbfline_0001.txt"]
    assert isinstance(missing, ItemError)
