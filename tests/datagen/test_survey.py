"""What is told of a source, and which texts are doubted."""

import pytest

from datagen.errors import ItemError
from datagen.items import Source
from datagen.survey import survey

WORDS = ("apple", "pear", "plum", "fig", "grape", "lemon", "lime", "melon", "peach", "quince")


def source(*named: tuple[str, object]) -> Source:
    return Source("kind", len(named), lambda: (), lambda: named)


@pytest.mark.parametrize(
    ("named", "doubt"),
    [
        ([(f"{number}.png", str(number)) for number in range(10)], "look like the files' numbers"),
        ([(f"{number:04}.png", str(number)) for number in (3, 48, 591, 6022)], "look like the files' numbers"),
        ([(f"images/scan-{number}.png", f"scan-{number}") for number in range(10)], "look like the files' numbers"),
        ([(f"x_{number}.png", b"x") for number in range(10)], "10 of 10 texts are 'x'"),
        ([(f"part.parquet:{number}", str(40 + number)) for number in range(10)], "count up, from 40 to 49"),
        ([(f"{number}.png", word) for number, word in enumerate(WORDS)], None),
        ([(f"{word}_{number}.png", word) for number, word in enumerate(WORDS)], None),
        ([(f"{number}.png", str(price)) for number, price in enumerate((12, 990, 45, 7, 12, 3100, 88))], None),
        ([(f"{number}.png", f"{word}{number}") for number, word in enumerate(WORDS)], None),
    ],
)
def test_texts_that_are_the_files_numbers_or_one_are_doubted(
    named: list[tuple[str, object]], doubt: str | None
) -> None:
    found = survey(source(*named)).doubt
    assert found is None if doubt is None else doubt in (found or "")


def test_five_texts_stand_with_their_files_and_the_commonest_with_its_number() -> None:
    named = [(f"{number}.png", word) for number, word in enumerate((*WORDS, "fig", "e\u0301"))]
    said = survey(source(*named, ("odd.png", ItemError("none")))).lines()
    assert said[0] == "13 images, kind"
    assert [line.split() for line in said[1:-1]] == [
        ["'apple'", "0.png"],
        ["'plum'", "2.png"],
        ["'lemon'", "5.png"],
        ["'peach'", "8.png"],
        ["'é'", "11.png"],
    ]
    assert said[-1] == "12 texts, 11 distinct; the commonest, 'fig', stands 2 times"


def test_of_images_without_texts_their_number_is_told() -> None:
    assert survey(Source("no texts", 3, lambda: (), lambda: ())).lines() == ["3 images, no texts"]
