"""Wrong characters, lost ones and added ones are told apart."""

import io

import polars as pl
import pytest
from PIL import Image

from datagen import dataset
from sweep.reporting import errors_by
from sweep.reporting.contents import Contents
from sweep.reporting.errors_by import Errors


@pytest.mark.parametrize(
    ("read", "truth", "errors"),
    [
        ("word", "word", Errors(0, 0, 0, 4)),
        ("w0rd", "word", Errors(1, 0, 0, 4)),
        ("wod", "word", Errors(0, 1, 0, 4)),
        ("words", "word", Errors(0, 0, 1, 4)),
        ("", "a-b", Errors(0, 2, 0, 2)),
        ("A b.", "Ab", Errors(0, 0, 0, 2)),
    ],
)
def test_edits_are_counted_by_kind(read: str, truth: str, errors: Errors) -> None:
    assert errors_by.compare(read, truth) == errors


def test_the_commonest_confusion_comes_first() -> None:
    rows = pl.DataFrame({"read": ["5he", "5o", "gc"], "truth": ["she", "so", "go"]})
    assert errors_by.confusions(rows) == [("s", "5", 2), ("o", "c", 1)]


def test_every_error_of_a_run_is_in_one_group_of_each_dimension(found: Contents) -> None:
    rows = errors_by.compared(found.readings).join(errors_by.described(found), on="index")
    assert len(rows) == len(found.readings)
    for dimension in ("height", "length", "text"):
        table = errors_by.by(rows, dimension)
        assert table.group_by("point_id").agg(pl.col("images").sum())["images"].unique().to_list() == [12]


def test_a_height_is_that_of_the_ink() -> None:
    inks = list[bytes | None]()
    for height in (8, 8, 9, 20, 21, 30):
        picture, drawn = Image.new("L", (64, 32)), io.BytesIO()
        picture.paste(255, (4, 1, 30, 1 + height))
        picture.save(drawn, "PNG")
        inks.append(drawn.getvalue())
    groups = errors_by._heights(pl.Series([*inks, None]))
    assert groups[0] == groups[1] == "8 to 8 px"
    assert groups[5].endswith("30 px")
    assert groups[6] is None
    assert errors_by._heights(pl.Series([None, None], dtype=pl.Binary)).to_list() == [None, None]


def test_words_are_told_from_random_strings(found: Contents) -> None:
    texts = dataset.load(found.run.data, "test").texts
    kinds = dict(zip(texts, errors_by.described(found)["text"], strict=True))
    assert set(kinds.values()) == {"words", "random strings"}
    assert all(kind == "random strings" for text, kind in kinds.items() if any(map(str.isdigit, text)))


def test_images_without_a_text_do_not_count() -> None:
    rows = pl.DataFrame({"point_id": ["a", "a"], "index": [0, 1], "read": ["x", "y"], "truth": ["", "y"]})
    assert errors_by.compared(rows)["index"].to_list() == [1]
