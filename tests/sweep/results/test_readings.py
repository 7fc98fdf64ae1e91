from pathlib import Path

import polars as pl
import pytest

from sweep.errors import SweepError
from sweep.results import readings


def rows(point: str, split: str, *reads: str) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "point_id": point,
                "split": split,
                "index": index,
                "bytes": 100,
                "repeated_bytes": 20,
                "read": read,
                "truth": "word",
                "accuracy": 1.0,
                "confidence": None,
            }
            for index, read in enumerate(reads)
        ]
    )


def test_a_run_without_readings_has_no_rows(tmp_path: Path):
    assert readings.read(tmp_path).schema == readings.SCHEMA
    assert readings.read(tmp_path).is_empty()


def test_a_point_measured_again_replaces_its_rows_of_that_split_alone(tmp_path: Path):
    readings.replace(tmp_path, pl.concat([rows("a", "test", "x", "y"), rows("a", "val", "v"), rows("b", "test", "z")]))
    readings.replace(tmp_path, rows("a", "test", "word"))
    kept = readings.read(tmp_path).select("point_id", "split", "read").rows()
    assert sorted(kept) == [("a", "test", "word"), ("a", "val", "v"), ("b", "test", "z")]


def test_an_image_stands_once_in_a_point(tmp_path: Path):
    with pytest.raises(SweepError, match="twice"):
        readings.replace(tmp_path, pl.concat([rows("a", "test", "x"), rows("a", "test", "y")]))


@pytest.mark.parametrize("spoil", ["bytes", "column"])
def test_readings_that_cannot_be_read_are_named(tmp_path: Path, spoil: str):
    file = tmp_path / "readings.parquet"
    if spoil == "bytes":
        file.write_bytes(b"no parquet")
    else:
        rows("a", "test", "x").drop("bytes").write_parquet(file)
    with pytest.raises(SweepError, match=r"readings\.parquet cannot be read"):
        readings.read(tmp_path)
