"""What went wrong in the reading of the test images: wrong characters apart from lost ones, by what was drawn."""

import io

import polars as pl
from PIL import Image

from datagen import shards, texts
from datagen.errors import DataError
from datagen.shards import Manifest
from datagen.spec import DatasetSpec
from models.metrics import alphanumeric
from sweep.reporting.contents import Contents
from sweep.results.misreadings import KINDS, share

DIMENSIONS = ("font", "background", "height", "length", "text")
RISING = ("height", "length")
"""Dimensions whose groups begin with a number, by which they stand in order."""
HEIGHTS = 4
"""Groups of about as many images each, by the height of the text."""
LENGTHS = ((1, 4), (5, 8), (9, 12), (13, 10_000))
"""Least and most letters and digits of a text."""
MOST = 16
"""Groups that are shown of a dimension: those with the most images."""


def described(contents: Contents) -> pl.DataFrame:
    """The test images by `index`: font, background, height of the text in the image, its length and kind; null where
    that is not known."""
    table = shards.read(contents.run.data, "test", ("text", "font", "background", "ink"))
    lengths = [_length(text) for text in table["text"]]
    kinds = pl.Series("text", _text_kinds(contents, table["text"].to_list()), dtype=pl.String)
    places = pl.int_range(len(table), eager=True).alias("index")
    length = pl.Series("length", lengths, dtype=pl.String)
    return table.select(places, "font", "background", _heights(table["ink"]), length, kinds)


def _heights(inks: pl.Series) -> pl.Series:
    """The group of each text by the height of its ink in pixels, from the top of the highest letter to the foot of the
    lowest; null where nobody drew it."""
    known = [None if ink is None else Image.open(io.BytesIO(ink), formats=["PNG"]).getbbox() for ink in inks]
    heights = pl.Series("height", [None if box is None else box[3] - box[1] for box in known], dtype=pl.Int64)
    height = pl.col("height")
    part = (height.rank("min") - 1) * HEIGHTS // height.count()
    group = pl.format("{} to {} px", height.min().over(part), height.max().over(part))
    return heights.to_frame().select(group.alias("height"))["height"]


def _length(text: str) -> str | None:
    count = len(alphanumeric(text))
    fitting = ((low, high) for low, high in LENGTHS if low <= count <= high)
    return next((f"{low} to {high}" if high < 100 else f"{low} or more" for low, high in fitting), None)


def _text_kinds(contents: Contents, said: list[str]) -> list[str | None]:
    """Whether a text is made of words of the dictionary or of random strings; None where nobody drew the texts."""
    try:
        spec = Manifest.load(contents.run.data, to_look_at=True).spec
        if not isinstance(spec, DatasetSpec) or spec.texts.file is not None:
            return [None] * len(said)
        known = {word.casefold() for word in texts.words(spec, "test")}
    except DataError:
        return [None] * len(said)
    return ["words" if {*text.casefold().split()} <= known else "random strings" for text in said]


def by(rows: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Errors of each kind for 100 characters, of each point and group of a dimension, and the group's images.

    Args:
        rows: as `misreadings.compared` gives them, with the columns of `described`.
    """
    known = rows.drop_nulls(dimension)
    sizes = known.group_by(dimension).agg(pl.col("index").n_unique().alias("images"))
    kept = sizes.sort("images", dimension, descending=[True, False]).head(MOST)
    groups = known.join(kept, on=dimension).group_by("point_id", dimension, "images")
    return groups.agg(share(kind) for kind in KINDS).sort("point_id", dimension)
