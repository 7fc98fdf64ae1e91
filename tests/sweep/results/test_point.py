"""A point and the row that the table keeps of it."""

from pathlib import Path

import pytest

from sweep.results import point, points
from sweep.results.point import Identity, Point, RatePoint, ValidationMetrics
from sweep.results.points import SCHEMA, PointTable

IDENTITY = Identity("a", "tfic", "small", 0.01, 0.1, 0.5, 1e-4, 0, 10, 20)
MEASURED = RatePoint(
    0.1, 0.5, cer=0.6, ocr_ms=9.0, ocr_ms_std=1.0, psnr_db=20.0, others={"tesseract": 0.3, "mine": 0.2}
)
COMPLETE = Point(
    identity=IDENTITY,
    status="complete",
    test=MEASURED,
    val=ValidationMetrics(0.11, 0.4, 19.0),
    train_seconds=3.0,
    checkpoint="checkpoints/a.pt",
)
STOPPED = Point(identity=IDENTITY, status="stopped", val=ValidationMetrics(0.2, 0.1, 18.0), reason="behind the front")
FAILED = Point(identity=Identity("b", "base", rate_weight=0.02), status="failed", reason="the loss is nan")


@pytest.mark.parametrize("kept", [COMPLETE, STOPPED, FAILED])
def test_a_point_comes_back_from_the_table_as_it_was(kept: Point, tmp_path: Path) -> None:
    PointTable(tmp_path).add(kept)
    [again] = points.listed(points.read(tmp_path))
    assert again == kept


def test_a_table_whose_columns_stand_in_another_order_is_read(tmp_path: Path) -> None:
    PointTable(tmp_path).add(COMPLETE)
    frame = points.read(tmp_path)
    frame.select(reversed(frame.columns)).write_parquet(tmp_path / "points.parquet")
    [again] = points.listed(points.read(tmp_path))
    assert again == COMPLETE


def test_every_column_has_the_type_of_its_field() -> None:
    types = point.schema()
    assert [types[name] for name in ("kind", "seed", "lambda", "val_psnr_db")] == [str, int, float, float]
    assert {*SCHEMA} == {*types, "on_front"}
    assert {*COMPLETE.columns()} == {*types, "accuracy_mine"} - {"accuracy_rapidocr"}


def test_a_point_that_is_not_complete_has_no_figures() -> None:
    with pytest.raises(AssertionError, match="point b is failed"):
        _ = FAILED.measured
