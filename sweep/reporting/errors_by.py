"""What went wrong in the reading of the test images: wrong characters apart from lost ones, by what was drawn."""

import io
from collections import Counter
from typing import NamedTuple

import polars as pl
from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen import shards, texts
from datagen.errors import DataError
from datagen.shards import Manifest
from datagen.spec import DatasetSpec
from models.metrics import alphanumeric
from sweep.reporting.contents import Contents

KINDS = ("substitutions", "losses", "additions")
"""A wrong character in place of one, a character that nothing was read for, a character where none is."""
DIMENSIONS = ("font", "background", "height", "length", "text")
RISING = ("height", "length")
"""Dimensions whose groups begin with a number, by which they stand in order."""
HEIGHTS = 4
"""Groups of about as many images each, by the height of the text."""
LENGTHS = ((1, 4), (5, 8), (9, 12), (13, 10_000))
"""Least and most letters and digits of a text."""
MOST = 16
"""Groups that are shown of a dimension: those with the most images."""


class Errors(NamedTuple):
    """How a text was read: letters and digits alone count, as in the accuracy."""

    substitutions: int
    losses: int
    additions: int
    characters: int
    """Letters and digits of the truth."""


def compare(read: str, truth: str) -> Errors:
    """The fewest edits that lead from the truth to what was read."""
    read, truth = alphanumeric(read), alphanumeric(truth)
    edits = Counter(edit.tag for edit in Levenshtein.editops(truth, read))
    return Errors(edits["replace"], edits["delete"], edits["insert"], len(truth))


def confusions(rows: pl.DataFrame, most: int = 12) -> list[tuple[str, str, int]]:
    """The commonest substitutions in readings: truth, what was read for it, how often."""
    found = Counter[tuple[str, str]]()
    for read, truth in rows.select("read", "truth").iter_rows():
        mine, theirs = alphanumeric(read), alphanumeric(truth)
        edits = Levenshtein.editops(theirs, mine)
        found.update((theirs[edit.src_pos], mine[edit.dest_pos]) for edit in edits if edit.tag == "replace")
    return [(*pair, count) for pair, count in sorted(found.items(), key=lambda each: (-each[1], each[0]))[:most]]


def compared(readings: pl.DataFrame) -> pl.DataFrame:
    """Readings of images with a text, with the fields of `Errors` as columns."""
    readings = readings.filter(pl.col("truth").str.contains(r"[\p{L}\p{N}]"))
    found = [compare(*pair) for pair in readings.select("read", "truth").iter_rows()]
    counted = pl.DataFrame(found, schema=dict.fromkeys(Errors._fields, pl.Int64), orient="row")
    return pl.concat([readings, counted], how="horizontal")


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
        rows: as `compared` gives them, with the columns of `described`.
    """
    known = rows.drop_nulls(dimension)
    sizes = known.group_by(dimension).agg(pl.col("index").n_unique().alias("images"))
    kept = sizes.sort("images", dimension, descending=[True, False]).head(MOST)
    groups = known.join(kept, on=dimension).group_by("point_id", dimension, "images")
    return groups.agg(share(kind) for kind in KINDS).sort("point_id", dimension)


def share(kind: str) -> pl.Expr:
    """Errors of a kind for 100 characters."""
    return (100 * pl.col(kind).sum() / pl.col("characters").sum()).alias(kind)
