"""Wrong characters, lost ones and added ones are told apart."""

import polars as pl
import pytest

from sweep.results import misreadings
from sweep.results.misreadings import Errors


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
    assert misreadings.compare(read, truth) == errors


def test_the_commonest_confusion_comes_first() -> None:
    rows = pl.DataFrame({"read": ["5he", "5o", "gc"], "truth": ["she", "so", "go"]})
    assert misreadings.confusions(rows) == [("s", "5", 2), ("o", "c", 1)]


def test_images_without_a_text_do_not_count() -> None:
    rows = pl.DataFrame({"point_id": ["a", "a"], "index": [0, 1], "read": ["x", "y"], "truth": ["", "y"]})
    assert misreadings.compared(rows)["index"].to_list() == [1]
