"""What a trial is expected to take."""

from pathlib import Path

import pytest
from rows import point

from sweep import plan
from sweep.config import SweepConfig, override
from sweep.presets import smoke
from sweep.results.point import Kind, Point, Status
from sweep.results.points import PointTable
from sweep.stages import work
from sweep.stages.strategies import INDEPENDENT, SHARED

MEASURED = {"encode_ms": 10.0, "decode_ms": 20.0, "ocr_ms": 70.0, "bpp": 0.1, "accuracy": 0.5}


def row(kind: Kind, train_seconds: float, status: Status = "complete") -> Point:
    named = {"point_id": f"{kind} {train_seconds}", "kind": kind, "lambda": smoke().search.lambdas[0], "status": status}
    return point(**named, **MEASURED, train_seconds=train_seconds)


def seconds(folder: Path, *rows: Point, config: SweepConfig | None = None) -> list[float]:
    table = PointTable(folder)
    for each in rows:
        table.add(each)
    return plan.trial_seconds(table, config or smoke())


@pytest.fixture
def measuring() -> float:
    """Seconds, of a tenth of one an image."""
    return 0.1 * (smoke().data.test + smoke().search.val_images)


def test_a_table_without_points_tells_nothing(tmp_path: Path) -> None:
    assert seconds(tmp_path) == []


def test_complete_trials_tell_what_one_takes(tmp_path: Path, measuring: float) -> None:
    rows = row("tfic", 30.0), row("tfic", 40.0), row("tfic", 1.0, "stopped"), row("base", 5.0)
    assert seconds(tmp_path, *rows) == pytest.approx([30 + measuring, 40 + measuring])


def test_before_there_is_one_the_base_points_do(tmp_path: Path, measuring: float) -> None:
    config = SHARED.split_budget(override(smoke(), budget=1))
    stage1, stage2 = (stage.steps * stage.batch_size for stage in (config.stage1, config.stage2))
    # One of the base points came out of the store.
    rows = row("base", 10.0), row("base", 0.0)
    expected = measuring + 10 / stage1 * work.RECOGNIZER_COST * stage2
    assert seconds(tmp_path, *rows, config=config) == pytest.approx([expected])


def test_a_trial_that_trains_nothing_takes_as_long_as_measuring(tmp_path: Path, measuring: float) -> None:
    assert seconds(tmp_path, row("base", 0.5)) == pytest.approx([measuring])


def test_a_trial_of_its_own_trains_both_stages() -> None:
    assert [node.title for node in INDEPENDENT.trial_nodes(INDEPENDENT.split_budget(smoke()))] == ["stage 1", "stage 2"]
    assert [node.title for node in SHARED.trial_nodes(SHARED.split_budget(smoke()))] == ["stage 2"]
