import random
import string
from dataclasses import replace
from pathlib import Path

import pytest

from datagen import texts
from datagen.errors import SpecError
from datagen.lines import READABLE, Texts
from datagen.spec import SPLITS, DatasetSpec, Split, split_of

WORDS = Texts(random=0.0)
RANDOM = Texts(random=1.0)


def drawn(texts_spec: Texts, split: Split = "train", count: int = 300, **fields) -> list[str]:
    spec, rng = DatasetSpec(texts=texts_spec, **fields), random.Random(0)
    return [texts.draw(spec, split, rng) for _ in range(count)]


def test_splits_share_no_word_whatever_its_case() -> None:
    of = {split: {word.casefold() for word in texts.words(DatasetSpec(), split)} for split in SPLITS}
    assert not of["train"] & of["val"]
    assert not of["train"] & of["test"]
    assert not of["val"] & of["test"]


def test_most_words_train() -> None:
    sizes = {split: len(texts.words(DatasetSpec(), split)) for split in SPLITS}
    assert sizes["train"] > 7 * sizes["val"]
    assert sizes["val"] == pytest.approx(sizes["test"], rel=0.05)


def test_words_may_be_shared_on_purpose() -> None:
    spec = DatasetSpec(shared=("words",))
    assert texts.words(spec, "train") == texts.words(spec, "test")


@pytest.mark.parametrize("source", [WORDS, RANDOM])
def test_texts_are_readable_have_the_asked_length_and_something_to_count(source: Texts) -> None:
    for text in drawn(replace(source, length=(5, 6))):
        assert len(text) in (5, 6)
        assert set(text) <= set(READABLE)
        assert any(character.isalnum() for character in text)


def test_random_strings_belong_to_their_split() -> None:
    for split in SPLITS:
        assert {split_of(text, 0) for text in drawn(RANDOM, split)} == {split}


def test_amounts_have_digits_and_belong_to_their_split() -> None:
    for split in SPLITS:
        found = drawn(Texts(amounts=1.0), split)
        assert {split_of(text, 0) for text in found} == {split}
        assert all(set(text) & set(string.digits) and set(text) <= set(READABLE) for text in found)
        assert len(set(found)) > 200
    assert 60 < sum(bool(set(text) & set(string.digits)) for text in drawn(Texts(amounts=0.3, random=0.0))) < 120


def test_amounts_are_of_the_allowed_characters_or_are_words() -> None:
    assert set("".join(drawn(Texts(amounts=1.0, characters=string.digits + "x")))) <= set(string.digits + "x")
    assert not set("".join(drawn(Texts(amounts=1.0, random=0.0, characters=string.ascii_lowercase)))) & set(
        string.digits
    )


def test_capitals_and_digits_are_as_frequent_as_small_letters() -> None:
    characters = "".join(drawn(Texts(), count=3000))
    lower, upper = sum(map(str.islower, characters)), sum(map(str.isupper, characters))
    shares = [count / len(characters) for count in (lower, upper, len(characters) - lower - upper)]
    assert shares[0] <= 0.5
    assert shares == pytest.approx([0.48, 0.4, 0.12], abs=0.03)


def test_a_line_has_several_words_of_one_split() -> None:
    for text in drawn(replace(Texts(), words=(2, 3)), "test", 50):
        pieces = text.split(" ")
        assert len(pieces) in (2, 3)
        assert {split_of(piece, 0) for piece in pieces} == {"test"}


@pytest.mark.parametrize(
    "characters", [string.ascii_lowercase, string.ascii_uppercase, string.ascii_letters[1:], " Aa"]
)
def test_a_text_has_allowed_characters_alone(characters: str) -> None:
    assert set("".join(drawn(Texts(random=0.5, characters=characters, length=(1, 12))))) <= set(characters)


def test_words_come_in_capitals_where_those_alone_are_allowed() -> None:
    capitals = replace(WORDS, characters=string.ascii_uppercase, upper=0.0)
    words = texts.words(DatasetSpec(texts=capitals), "train")
    assert sum(map(str.islower, words)) > 200_000
    found = drawn(capitals)
    assert all(map(str.isupper, found))
    assert {text.casefold() for text in found} <= {word.casefold() for word in words}


def test_digits_alone_can_be_asked_for() -> None:
    assert all(text.isdigit() for text in drawn(replace(RANDOM, pool=("digits",))))


def test_the_users_lines_are_texts_each_in_one_split(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("\n".join([f"Invoice No. {number}" for number in range(200)] + ["日本", "--"]))
    lines = {split: set(texts.lines(DatasetSpec(texts=Texts(file=str(file))), split)) for split in SPLITS}
    assert sum(map(len, lines.values())) == len(set.union(*lines.values())) == 200
    assert all(lines.values())


def test_a_byte_order_mark_is_no_part_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("first\r\nsecond\r\n", encoding="utf-8-sig")
    own = DatasetSpec(texts=Texts(file=str(file)), shared=("words",))
    assert texts.lines(own, "train") == ("first", "second")
    assert texts.rejected(own) == {}


def test_a_line_that_is_not_written_is_named_with_what_keeps_it_from_that(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("fine\n\n日本\n本日本 1\n--\nWide\n", encoding="utf-8")
    own = Texts(file=str(file), characters=string.ascii_lowercase + "- 1")
    assert texts.rejected(DatasetSpec(texts=own)) == {
        "日本": "it has '日本', which texts.characters leaves out",
        "本日本 1": "it has '日本', which texts.characters leaves out",
        "--": "it has no letter and no digit",
        "Wide": "it has 'W', which texts.characters leaves out",
    }
    assert texts.rejected(DatasetSpec(texts=WORDS)) == {}


def test_lines_that_the_canvas_has_no_room_for_are_named(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(["x" * 2500, "y" * 65, "z" * 64]))
    own = DatasetSpec(texts=Texts(file=str(file)), shared=("words",))
    assert texts.lines(own, "train") == ("z" * 64,)
    reason = "it has more than the 64 characters that the canvas has room for"
    assert texts.rejected(own) == {"x" * 2500: reason, "y" * 65: reason}
    file.write_text("x" * 2500)
    with pytest.raises(SpecError, match=r"0 of 1 lines can be drawn.*it has more than the 64 characters"):
        texts.lines(replace(own, seed=1), "train")


def test_a_line_ends_before_the_word_that_the_canvas_has_no_room_for() -> None:
    for text in drawn(Texts(words=(20, 20), length=(10, 12))):
        assert 52 <= len(text) <= 64
        assert all(10 <= len(piece) <= 12 for piece in text.split(" "))


def test_accents_are_parts_of_their_letters(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("cafe\u0301", encoding="utf-8")
    own = DatasetSpec(texts=Texts(file=str(file), characters="acf\u00e9"), shared=("words",))
    assert texts.lines(own, "train") == ("caf\u00e9",)


def test_damaged_words_of_a_dictionary_are_left_out() -> None:
    """A third of the Spanish ones are in no known encoding."""
    words = texts.words(DatasetSpec(texts=replace(WORDS, language="es"), shared=("words",)), "train")
    assert "abacería" not in words
    assert len(words) > 80_000
    assert set("".join(words)) <= set(READABLE)


def test_a_file_without_a_usable_line_says_so(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("日本\n")
    with pytest.raises(SpecError, match="0 of 1 lines"):
        drawn(Texts(file=str(file)))


def test_an_unknown_language_is_named_with_those_there_are() -> None:
    with pytest.raises(SpecError, match=r"'xx'.* en,"):
        drawn(replace(WORDS, language="xx"))


@pytest.mark.parametrize("leaving", [{"length": (40, 40)}, {"characters": "12"}, {"language": "ja"}])
def test_a_specification_that_leaves_no_word_says_so(leaving: dict) -> None:
    with pytest.raises(SpecError, match="no train word"):
        drawn(replace(WORDS, **leaving))


def test_random_strings_that_no_split_can_own_are_refused() -> None:
    one = replace(RANDOM, length=(1, 1), pool=("digits",), characters="1")
    owner = split_of("1", 0)
    assert drawn(one, owner, 3) == ["1", "1", "1"]
    with pytest.raises(SpecError, match=r"make --texts\.length longer"):
        drawn(one, next(split for split in SPLITS if split != owner), 1)


def test_a_pool_that_leaves_nothing_says_so() -> None:
    with pytest.raises(SpecError, match="no letter and no digit"):
        drawn(replace(RANDOM, pool=("symbols",)))
