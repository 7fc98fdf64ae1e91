"""Of each image the smallest file is taken that is read as the original is."""

import polars as pl
import pytest
from rows import frame

from sweep.results import just_readable
from sweep.results.just_readable import JustReadable
from sweep.results.readings import SCHEMA

PLAIN = {"uncompressed": (("a", 99), ("b", 99), ("", 99), ("d", 99))}
FRONT = {
    "low": (("a", 10), ("x", 10), ("", 10), ("y", 11)),
    "middle": (("a", 9), ("b", 20), ("z", 20), ("x", 20)),
    "high": (("x", 40), ("b", 30), ("", 30), ("x", 25)),
}
OTHERS = {"beside": (("a", 1), ("b", 1), ("", 1), ("d", 1)), "stage1": (("a", 1), ("b", 1), ("", 1), ("d", 1))}
PIXELS = 80


def points(*names: str) -> pl.DataFrame:
    """The front and what is not on it, which reads less on the validation images."""
    rows = [{"point_id": "uncompressed", "kind": "uncompressed", "bpp": 24.0, "accuracy": 1.0}]
    rows += [
        {
            "point_id": name,
            "kind": "tfic",
            "bpp": rate / 10,
            "accuracy": rate / 10,
            "val_bpp": rate,
            "val_accuracy": rate,
        }
        for rate, name in enumerate(names or FRONT, 1)
    ]
    rows += [
        {"point_id": name, "kind": kind, "bpp": 9.0, "accuracy": 0.0, "val_bpp": 9.0, "val_accuracy": 0.0}
        for name, kind in (("beside", "tfic"), ("stage1", "base"))
    ]
    return frame(*({"status": "complete"} | row for row in rows))


def readings(**read: tuple[tuple[str, int], ...]) -> pl.DataFrame:
    """What is read in each image, and its file's bytes."""
    rows = [
        {"point_id": name, "index": index, "bytes": size, "read": said, "truth": "", "accuracy": float(said == "")}
        for name, files in read.items()
        for index, (said, size) in enumerate(files)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def test_the_smallest_file_that_keeps_the_reading_is_taken_or_else_that_of_the_highest_rate() -> None:
    found = just_readable.files(points(), readings(**PLAIN, **FRONT, **OTHERS))
    assert found["kept"].to_list() == [True, True, True, False]
    assert found["bytes"].to_list() == [9 + 1, 20 + 1, 10 + 1, 25 + 1]
    assert found["read"].to_list() == ["a", "b", "", "x"]
    assert set(found["point_id"]) == {just_readable.ID}


def test_rate_and_share_stand_beside_the_point_that_alone_keeps_most() -> None:
    found = just_readable.of_run(points(), readings(**PLAIN, **FRONT, **OTHERS), PIXELS)
    assert found == pytest.approx(JustReadable(8 * 17 / PIXELS, 0.25, 0.75, 8 * 10.25 / PIXELS, 0.5))
    said = just_readable.said(found)
    assert "1.7000 bpp keep 75.0% of the readings" in said
    assert "that at 1.0250 bpp keeps most, 50.0%" in said


@pytest.mark.parametrize("read", [{}, PLAIN, FRONT, {"beside": OTHERS["beside"], **PLAIN}])
def test_without_readings_of_the_front_and_of_the_originals_there_is_nothing(
    read: dict[str, tuple[tuple[str, int], ...]],
) -> None:
    rows = readings(**read)
    assert just_readable.files(points(), rows).is_empty()
    assert just_readable.of_run(points(), rows, PIXELS) is None
    assert just_readable.said(None) == ""
