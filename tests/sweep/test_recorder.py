"""A real SQLite store, of which a table is away while MLflow fails."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from rich.console import Console

from sweep import endurance, points
from sweep.points import PointTable, Row
from sweep.presets import smoke
from sweep.progress import Display
from sweep.recorder import Recorder
from sweep.tracking import Tracker
from sweep.training import Progress

PROGRESS = Progress(10, 40, 1.0, 0.02, 0.3, 2.0, 1e-4, 1.5)
COMPLETE = {"status": "complete", "bpp": 0.1, "accuracy": 0.5}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow") / "mlflow.db"


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """MLflow's pictures lie below the working directory; it is asked again at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(endurance, "PATIENCE", 0.0)


def recorder(folder: Path, store: Path, screen: io.StringIO, sweep_id: str) -> Recorder:
    display = Display(smoke(), Console(file=screen, width=120))
    tracker = Tracker(f"sqlite:///{store}", sweep_id, "name", {}, display.print)
    return Recorder(PointTable(folder), tracker, display)


def point(point_id: str, **values) -> Row:
    return {"point_id": point_id, "kind": "tfic", "lambda": 0.01, "beta": 0.1, "seed": 0} | values


def ids(folder: Path) -> dict[str, str | None]:
    return dict(points.read(folder).select("point_id", "mlflow_run_id").iter_rows())


def run(store: Path, folder: Path, point_id: str) -> Run:
    run_id = ids(folder)[point_id]
    assert run_id is not None
    return MlflowClient(f"sqlite:///{store}").get_run(run_id)


@contextmanager
def away(store: Path) -> Iterator[None]:
    with closing(sqlite3.connect(store)) as database:
        database.execute("ALTER TABLE runs RENAME TO away")
        try:
            yield
        finally:
            database.execute("ALTER TABLE away RENAME TO runs")


@pytest.mark.slow
def test_no_point_is_lost_while_mlflow_fails(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    observer = recorder(tmp_path, store, screen, "sweep-a")
    with away(store):
        observer.progressed(point("a"), PROGRESS)
        observer.finished(point("a", **COMPLETE))
        observer.finished(point("b", status="failed", reason="the loss is nan"))
        assert ids(tmp_path) == {"a": None, "b": None}
    assert screen.getvalue().count("MLflow at") == 1
    observer.finished(point("c", **COMPLETE))
    assert None not in ids(tmp_path).values()
    assert run(store, tmp_path, "a").data.metrics["bpp"] == 0.1
    assert run(store, tmp_path, "a").data.params["lambda"] == "0.01"
    assert run(store, tmp_path, "b").data.tags["reason"] == "the loss is nan"


def test_a_resumed_sweep_gives_mlflow_what_it_lacks(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    first = recorder(tmp_path, store, screen, "sweep-b")
    with away(store):
        first.finished(point("a", **COMPLETE))
    recorder(tmp_path, store, screen, "sweep-b")
    found = run(store, tmp_path, "a")
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"bpp": 0.1, "accuracy": 0.5})
    assert "checkpoint" not in found.data.tags


def test_readings_that_mlflow_missed_come_with_the_next_point(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    observer = recorder(tmp_path, store, screen, "sweep-c")
    observer.finished(point("a", **COMPLETE))
    with away(store):
        observer.reread(point("a", **COMPLETE), {"accuracy_tesseract": 0.25})
    observer.finished(point("b", **COMPLETE))
    assert run(store, tmp_path, "a").data.metrics["accuracy_tesseract"] == 0.25


def test_what_mlflow_missed_of_the_last_point_comes_at_the_end(
    tmp_path: Path, store: Path, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endurance, "PATIENCE", 1e6)
    observer = recorder(tmp_path, store, screen, "sweep-e")
    with away(store):
        observer.finished(point("a", status="failed", reason="the loss is nan"))
    observer.settle()
    assert run(store, tmp_path, "a").data.tags["reason"] == "the loss is nan"


def test_a_store_that_does_not_know_the_sweep_is_given_all_of_it(
    tmp_path: Path, store: Path, screen: io.StringIO
) -> None:
    elsewhere = {"mlflow_run_id": "of another store"}
    for name in ("a", "b"):
        PointTable(tmp_path).add(point(name, **COMPLETE) | elsewhere)
    recorder(tmp_path, store, screen, "sweep-d")
    assert {run(store, tmp_path, name).info.status for name in ("a", "b")} == {"FINISHED"}
    kept = ids(tmp_path)
    recorder(tmp_path, store, screen, "sweep-d")
    assert ids(tmp_path) == kept
