"""Errors by what was drawn."""

import io

import polars as pl
from PIL import Image

from datagen import dataset
from sweep.reporting import errors_by
from sweep.reporting.contents import Contents
from sweep.results import misreadings


def test_every_error_of_a_run_is_in_one_group_of_each_dimension(found: Contents) -> None:
    rows = misreadings.compared(found.readings).join(errors_by.described(found), on="index")
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
