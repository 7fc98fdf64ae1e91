import json
from pathlib import Path
from typing import Any

import pytest
from rows import frame, point

from sweep.errors import SweepError
from sweep.results import points
from sweep.results.pareto import Objectives
from sweep.results.point import Kind, Point, Status
from sweep.results.points import PointTable

CONTRACT = """
    point_id kind codec lambda beta distortion_weight text_weight learning_rate seed stage1_steps stage2_steps
    bpp accuracy cer ocr_ms ocr_ms_std bpp_own bpp_payload bpp_estimated psnr_db encode_ms encode_ms_std decode_ms
    val_bpp val_accuracy val_bpp_own val_psnr_db accuracy_tesseract accuracy_rapidocr
    status train_seconds checkpoint mlflow_run_id reason on_front
"""


def row(
    point_id: str, bpp: float, accuracy: float, kind: Kind = "tfic", status: Status = "complete", **columns: Any
) -> Point:
    return point(point_id=point_id, kind=kind, bpp=bpp, accuracy=accuracy, status=status, **columns)


def test_the_table_has_the_contracts_columns(tmp_path: Path) -> None:
    PointTable(tmp_path).add(row("a", 0.1, 0.5))
    assert points.read(tmp_path).columns == CONTRACT.split()


def test_points_survive_a_new_process(tmp_path: Path) -> None:
    PointTable(tmp_path).add(row("a", 0.1, 0.5))
    table = PointTable(tmp_path)
    table.add(row("b", 0.2, 0.7))
    assert points.read(tmp_path)["point_id"].to_list() == ["a", "b"]


def test_a_point_measured_again_replaces_itself(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    table.add(row("a", 0.1, 0.5, status="failed"))
    table.add(row("a", 0.1, 0.6))
    assert table.frame["accuracy"].to_list() == [0.6]
    assert len(table.of("tfic", "complete")) == 1


def test_the_table_stays_in_one_piece(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    for name in "abcd":
        table.add(row(name, 0.1, 0.5))
    assert table.frame.n_chunks("all") == [1] * table.frame.width


def test_the_front_is_of_complete_trained_points(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    table.add(row("u", 24.0, 0.9, kind="uncompressed"))
    table.add(row("a", 0.1, 0.5))
    table.add(row("b", 0.2, 0.4, kind="base"))
    table.add(row("c", 0.05, 0.3, kind="base"))
    table.add(point(point_id="d", kind="tfic", status="failed"))
    assert table.frame.filter("on_front")["point_id"].to_list() == ["a", "c"]


def test_the_front_is_chosen_on_the_validation_images(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    table.add(row("lucky", 0.1, 0.9, val_bpp=0.1, val_accuracy=0.4))
    table.add(row("chosen", 0.1, 0.5, val_bpp=0.1, val_accuracy=0.6))
    table.add(row("better", 0.2, 0.4, val_bpp=0.2, val_accuracy=0.7))
    assert table.frame.filter("on_front")["point_id"].to_list() == ["chosen", "better"]
    summary = json.loads((tmp_path / "front.json").read_text())
    assert [point["accuracy"] for point in summary["front"]] == [0.5, 0.4]
    assert summary["hypervolume"] == pytest.approx(0.4 * 0.5)


def test_each_counting_has_an_envelope_chosen_on_the_validation_images() -> None:
    def of(name: str, bpp: float, own: float, val: float, test: float) -> dict[str, Any]:
        rates = {"bpp": bpp, "bpp_own": own, "val_bpp": bpp, "val_bpp_own": own}
        return {
            "point_id": name,
            "kind": "classical",
            "status": "complete",
            "val_accuracy": val,
            "accuracy": test,
        } | rates

    table = frame(of("g4", 0.2, 0.05, 0.5, 0.45), of("webp", 0.1, 0.09, 0.6, 0.55), of("unlucky", 0.1, 0.09, 0.3, 0.9))
    assert points.envelope(table) == [Objectives(0.1, 0.55)]
    assert points.envelope(table, "own") == [Objectives(0.05, 0.45), Objectives(0.09, 0.55)]


def test_front_json_says_what_the_front_is_worth(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    table.add(row("u", 24.0, 0.9, kind="uncompressed"))
    table.add(row("b", 0.2, 0.4, kind="base"))
    table.add(row("a", 0.1, 0.5))
    summary = json.loads((tmp_path / "front.json").read_text())
    assert [point["point_id"] for point in summary["front"]] == ["a"]
    assert summary["uncompressed_accuracy"] == 0.9
    assert summary["hypervolume"] == pytest.approx(0.4 * 0.5)
    assert summary["hypervolume_base"] == pytest.approx(0.3 * 0.4)


def test_a_table_of_fewer_columns_is_read_with_nulls(tmp_path: Path) -> None:
    PointTable(tmp_path).add(row("a", 0.1, 0.5, val_bpp=0.2, val_accuracy=0.4))
    points.read(tmp_path).drop("val_bpp").write_parquet(tmp_path / "points.parquet")
    assert points.read(tmp_path)["val_bpp"].to_list() == [None]


def test_a_reader_of_the_runs_own_has_a_column(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    table.add(row("a", 0.1, 0.5))
    table.add(point(point_id="b", kind="tfic", status="complete", bpp=0.2, accuracy=0.6, **{"accuracy_mine.load": 0.4}))
    again = PointTable(tmp_path)
    again.add(row("c", 0.3, 0.7))
    assert again.frame["accuracy_mine.load"].to_list() == [None, 0.4, None]
    assert points.read(tmp_path).equals(again.frame)
    assert points.reader_columns(again.frame) == ["accuracy_mine.load"]


def test_a_point_gains_columns_in_its_place(tmp_path: Path) -> None:
    table = PointTable(tmp_path)
    for name, bpp in (("a", 0.1), ("b", 0.2)):
        table.add(row(name, bpp, bpp))
    table.update("a", {"accuracy_tesseract": 0.25})
    table.update("b", {})
    assert points.read(tmp_path)["point_id"].to_list() == ["a", "b"]
    assert points.read(tmp_path)["accuracy_tesseract"].to_list() == [0.25, None]
    summary = json.loads((tmp_path / "front.json").read_text())
    assert [point["accuracy_tesseract"] for point in summary["front"]] == [0.25, None]


def test_a_folder_without_points_says_so(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="no run's folder"):
        points.read(tmp_path)


def test_a_broken_table_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "points.parquet").write_bytes(b"broken")
    with pytest.raises(SweepError, match=r"points\.parquet cannot be read"):
        PointTable(tmp_path)
    assert (tmp_path / "points.parquet").read_bytes() == b"broken"
