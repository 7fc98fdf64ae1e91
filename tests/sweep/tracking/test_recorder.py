"""A real SQLite store, of which a table is away while MLflow fails."""

import io
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import rows
from mlflow import MlflowClient
from mlflow.entities import Run
from rich.console import Console

from sweep.presets import smoke
from sweep.results.point import Identity, Point
from sweep.results.points import PointTable
from sweep.tracking import outbox
from sweep.tracking.display import Display
from sweep.tracking.outbox import Entry
from sweep.tracking.recorder import Recorder
from sweep.tracking.tracker import Tracker
from sweep.training.loop import Progress

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
    monkeypatch.setattr(outbox, "PAUSE", 0.05)


def recorder(folder: Path, store: Path, screen: io.StringIO, sweep_id: str) -> Recorder:
    display = Display(smoke(), Console(file=screen, width=120))
    tracker = Tracker(f"sqlite:///{store}", sweep_id, folder, {}, display.print)
    opened = Recorder(PointTable(folder), tracker, display)
    opened.complete()
    return opened


def point(point_id: str, **columns: Any) -> Point:
    named = {"point_id": point_id, "kind": "tfic", "lambda": 0.01, "beta": 0.1, "seed": 0}
    return rows.point(**named, **columns)


def ids(folder: Path) -> dict[str, str | None]:
    return dict(PointTable(folder).frame.select("point_id", "mlflow_run_id").iter_rows())


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


def dead(entry: Entry) -> None:
    """As a process that is killed meanwhile."""
    threading.Event().wait()


def settled(observer: Recorder, folder: Path) -> dict[str, str | None]:
    """Runs by point, once MLflow has failed or has all."""
    observer.settle(30)
    return ids(folder)


@pytest.mark.slow
def test_no_point_is_lost_while_mlflow_fails(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    observer = recorder(tmp_path, store, screen, "sweep-a")
    settled(observer, tmp_path)
    with away(store):
        observer.progressed(Identity("a", "tfic", rate_weight=0.01, ocr_weight=0.1, seed=0), PROGRESS)
        observer.finished(point("a", **COMPLETE))
        observer.finished(point("b", status="failed", reason="the loss is nan"))
        assert settled(observer, tmp_path) == {"a": None, "b": None}
    assert screen.getvalue().count("fails") == 1
    observer.finished(point("c", **COMPLETE))
    assert None not in settled(observer, tmp_path).values()
    assert run(store, tmp_path, "a").data.metrics.keys() >= {"bpp", "train/total"}
    assert run(store, tmp_path, "a").data.params["lambda"] == "0.01"
    assert run(store, tmp_path, "b").data.tags["reason"] == "the loss is nan"


def test_a_resumed_sweep_gives_mlflow_what_it_lacks(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    first = recorder(tmp_path, store, screen, "sweep-b")
    settled(first, tmp_path)
    with away(store):
        first.finished(point("a", **COMPLETE))
        settled(first, tmp_path)
        first._tracker._outbox._send = dead
    settled(recorder(tmp_path, store, screen, "sweep-b"), tmp_path)
    found = run(store, tmp_path, "a")
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"bpp": 0.1, "accuracy": 0.5} | rows.MEASURED
    assert "checkpoint" not in found.data.tags


def test_a_point_is_written_once_though_the_table_did_not_learn_of_it(
    tmp_path: Path, store: Path, screen: io.StringIO
) -> None:
    for _ in range(2):
        observer = recorder(tmp_path, store, screen, "sweep-c")
        if not ids(tmp_path):
            observer.finished(point("a", **COMPLETE))
        assert settled(observer, tmp_path)["a"] is not None
        assert len(MlflowClient(f"sqlite:///{store}").get_metric_history(str(ids(tmp_path)["a"]), "bpp")) == 1
        PointTable(tmp_path).update("a", {"mlflow_run_id": None})


def test_a_failed_point_that_succeeds_later_is_written_again(tmp_path: Path, store: Path, screen: io.StringIO) -> None:
    observer = recorder(tmp_path, store, screen, "sweep-e")
    observer.finished(point("a", status="failed", reason="the loss is nan"))
    settled(observer, tmp_path)
    PointTable(tmp_path).add(point("a", **COMPLETE))
    settled(recorder(tmp_path, store, screen, "sweep-e"), tmp_path)
    found = run(store, tmp_path, "a")
    assert (found.info.status, found.data.metrics["bpp"]) == ("FINISHED", 0.1)


def test_a_store_that_does_not_know_the_sweep_is_given_all_of_it(
    tmp_path: Path, store: Path, screen: io.StringIO
) -> None:
    elsewhere = {"mlflow_run_id": "of another store"}
    for name in ("a", "b"):
        PointTable(tmp_path).add(point(name, **COMPLETE, **elsewhere))
    kept = settled(recorder(tmp_path, store, screen, "sweep-d"), tmp_path)
    assert {run(store, tmp_path, name).info.status for name in ("a", "b")} == {"FINISHED"}
    assert settled(recorder(tmp_path, store, screen, "sweep-d"), tmp_path) == kept
