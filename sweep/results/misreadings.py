"""How texts were misread: wrong characters apart from lost and added ones."""

from collections import Counter
from typing import NamedTuple

import polars as pl
from rapidfuzz.distance import Levenshtein

from models.metrics import alphanumeric

KINDS = ("substitutions", "losses", "additions")
"""A wrong character in place of one, a character that nothing was read for, a character where none is."""


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


def share(kind: str) -> pl.Expr:
    """Errors of a kind for 100 characters."""
    return (100 * pl.col(kind).sum() / pl.col("characters").sum()).alias(kind)
