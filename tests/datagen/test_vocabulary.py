import pytest

from datagen import vocabulary
from datagen.errors import SpecError
from datagen.spec import SPLITS, DatasetSpec


def test_splits_share_no_word_whatever_its_case() -> None:
    split_words = {split: {word.casefold() for word in vocabulary.words(DatasetSpec(), split)} for split in SPLITS}
    assert not split_words["train"] & split_words["val"]
    assert not split_words["train"] & split_words["test"]
    assert not split_words["val"] & split_words["test"]


def test_most_words_train() -> None:
    sizes = {split: len(vocabulary.words(DatasetSpec(), split)) for split in SPLITS}
    assert sizes["train"] > 7 * sizes["val"]
    assert sizes["val"] == pytest.approx(sizes["test"], rel=0.05)


def test_words_have_the_asked_length_and_readable_characters() -> None:
    spec = DatasetSpec(word_length=(5, 6))
    words = vocabulary.words(spec, "val")
    assert {len(word) for word in words} == {5, 6}
    assert vocabulary.CHARACTERS.issuperset("".join(words))


def test_an_unknown_language_is_named_with_those_there_are() -> None:
    with pytest.raises(SpecError, match=r"'xx'.* en,"):
        vocabulary.words(DatasetSpec(language="xx"), "train")


def test_a_specification_that_leaves_no_word_says_so() -> None:
    with pytest.raises(SpecError, match="no train word"):
        vocabulary.words(DatasetSpec(word_length=(40, 40)), "train")
