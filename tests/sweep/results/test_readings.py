"""What is kept of every image, beside the table of points."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from rows import point

from sweep.errors import SweepError
from sweep.results import points, readings
from sweep.results.point import Point, Reading
from sweep.results.points import PointTable


def few(*texts: str) -> tuple[Reading, ...]:
    return tuple(Reading(index, 100, text, "word", 1.0, confidence=0.5) for index, text in enumerate(texts))


def measured(name: str, *texts: str) -> Point:
    plain = point(point_id=name, kind="tfic", status="complete", bpp=0.1, accuracy=0.5)
    return replace(plain, test=replace(plain.measured, readings=few(*texts)))


def test_a_run_without_readings_has_no_rows(tmp_path: Path) -> None:
    assert readings.read(tmp_path).schema == readings.SCHEMA
    assert readings.read(tmp_path).is_empty()


def test_a_point_of_the_table_leaves_its_readings_and_measured_again_replaces_them(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    for each in (measured("a", "x", "y"), measured("b", "z"), measured("a", "word")):
        table.add(each)
    assert sorted(readings.read(tmp_path).select("point_id", "read").rows()) == [("a", "word"), ("b", "z")]
    assert "readings" not in points.read(tmp_path).columns


def test_a_large_table_is_not_written_again_for_each_point_but_read_and_merged_whole(tmp_path: Path) -> None:
    file, texts = tmp_path / "readings.parquet", [f"word {number}" for number in range(50_000)]
    readings.replace(tmp_path, "a", few(*texts))
    before = file.read_bytes()
    for name in ("b/1", "c", "b/1"):
        readings.replace(tmp_path, name, few(name))
    assert file.read_bytes() == before
    whole = readings.read(tmp_path)
    assert whole.filter(pl.col("point_id") != "a").select("point_id", "read").rows() == [("c", "c"), ("b/1", "b/1")]
    readings.merge(tmp_path)
    assert not any((tmp_path / readings.PARTS).iterdir())
    assert readings.read(tmp_path).equals(whole)


@pytest.mark.parametrize("absent", [["confidence"], ["repeated", "confidence"]])
def test_readings_of_a_release_that_kept_less_are_read_and_added_to(tmp_path: Path, absent: list[str]) -> None:
    PointTable(tmp_path).add(measured("a", "x", "y"))
    now = readings.read(tmp_path)
    now.drop(absent).write_parquet(tmp_path / "readings.parquet")
    unknown = [pl.lit(None, readings.SCHEMA[name]).alias(name) for name in absent]
    assert readings.read(tmp_path).equals(now.with_columns(unknown))
    PointTable(tmp_path).add(measured("b", "z"))
    rows = readings.read(tmp_path)
    assert rows["repeated"].to_list()[-1] == 0
    assert rows["confidence"].to_list() == [None, None, 0.5]


@pytest.mark.parametrize("spoil", ["bytes", "column"])
def test_readings_that_cannot_be_read_are_named(tmp_path: Path, spoil: str) -> None:
    file = tmp_path / "readings.parquet"
    if spoil == "bytes":
        file.write_bytes(b"no parquet")
    else:
        pl.DataFrame({"point_id": ["a"]}).write_parquet(file)
    with pytest.raises(SweepError, match=r"readings\.parquet cannot be read"):
        readings.read(tmp_path)
