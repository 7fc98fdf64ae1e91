import pytest

from models.baselines.text import TextCoder

WORDS = ["stayer", "CLEMENTI", "outsleeping", "412528240", "invoice", "total", "amount", "paid", "order"] * 20


@pytest.mark.parametrize("text", ["", "a", "total", "T0tal!", "é€漢字", "x" * 500, "\0\0", "\n"])
def test_any_text_comes_back(text: str) -> None:
    for texts in ([], ["total"], WORDS):
        coder = TextCoder(texts)
        assert coder.decode(coder.encode(text)) == text


def test_a_text_like_others_costs_less() -> None:
    coder = TextCoder(WORDS)
    assert len(coder.encode("amounting")) < len(coder.encode("zqjxkvbwy"))
    assert len(coder.encode("amounting")) < len("amounting") - 3


def test_every_byte_string_is_at_least_as_long_as_the_information() -> None:
    """A code that is free of collisions: different texts, different bytes."""
    coder = TextCoder(WORDS)
    files = [coder.encode(text) for text in {*WORDS, "", "a", "b", "ab", "ba", "aa"}]
    assert len(set(files)) == len(files)
