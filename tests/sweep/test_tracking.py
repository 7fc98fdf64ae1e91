"""A real SQLite store."""

from pathlib import Path

import polars as pl
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient

from sweep.points import Row
from sweep.tracking import EXPERIMENT, Tracker
from sweep.training import Progress

IDENTITY: Row = {"point_id": "abc", "kind": "tfic", "lambda": 0.01, "beta": 0.1, "codec": "small", "seed": 0}
POINT: Row = IDENTITY | {"bpp": 0.1, "accuracy": 0.5, "psnr_db": None, "val_bpp": 0.11, "status": "complete"}
PROGRESS = Progress(10, 40, 1.0, 0.02, 0.3, 2.0, 1e-4, 1.5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


def runs(store: str, sweep_id: str) -> list:
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return client.search_runs([experiment.experiment_id], f"tags.`tfic.sweep_id` = '{sweep_id}'")


@pytest.mark.slow
def test_a_resumed_sweep_goes_on_in_its_own_runs(store: str) -> None:
    for _ in range(2):
        tracker = Tracker(store, "sweep-a", "name", {"codec": "small"})
        tracker.progress(IDENTITY, PROGRESS)
        tracker.point(POINT)
        tracker.finish("FINISHED")
    found = runs(store, "sweep-a")
    assert len(found) == 2
    [child] = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    [parent] = [run for run in found if run is not child]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert parent.data.params == {"codec": "small"}


def test_a_point_has_params_metrics_by_step_and_a_status(store: str) -> None:
    tracker = Tracker(store, "sweep-b", "name", {})
    tracker.progress(IDENTITY, PROGRESS)
    tracker.progress(IDENTITY, PROGRESS._replace(step=20, total=0.5))
    run_id = tracker.point(POINT)
    client = MlflowClient(store)
    run = client.get_run(run_id)
    assert run.data.params == {"kind": "tfic", "lambda": "0.01", "beta": "0.1", "codec": "small", "seed": "0"}
    assert (run.data.metrics["bpp"], run.data.metrics["accuracy"], run.data.metrics["val/bpp"]) == (0.1, 0.5, 0.11)
    assert "psnr_db" not in run.data.metrics
    history = client.get_metric_history(run_id, "train/total")
    assert [(metric.step, metric.value) for metric in history] == [(10, 1.0), (20, 0.5)]
    assert run.info.status == "FINISHED"


def test_a_failed_point_says_why(store: str) -> None:
    tracker = Tracker(store, "sweep-c", "name", {})
    run_id = tracker.point(IDENTITY | {"status": "failed", "reason": "the loss is nan"})
    run = MlflowClient(store).get_run(run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["reason"] == "the loss is nan"


def test_pictures_and_figures_stand_on_the_parent(store: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    tracker = Tracker(store, "sweep-d", "name", {})
    tracker.figure(Figure(), "front.png")
    tracker.sweep({"hypervolume": 0.3, "uncompressed_accuracy": None}, 5)
    client = MlflowClient(store)
    assert [file.path for file in client.list_artifacts(tracker.parent_id)] == ["front.png"]
    assert client.get_run(tracker.parent_id).data.metrics == {"hypervolume": 0.3}


@pytest.mark.filterwarnings("error")
def test_the_images_are_named_on_the_parent_once(store: str) -> None:
    splits = {name: pl.DataFrame({"text": ["one", "two"], "font": ["a", None]}) for name in ("train", "test")}
    trackers = [Tracker(store, "sweep-e", "name", {}) for _ in range(2)]
    for tracker in trackers:
        tracker.dataset(Path("data"), "0123456789abcdef", splits)
    logged = MlflowClient(store).get_run(trackers[0].parent_id).inputs
    assert logged is not None
    inputs = logged.dataset_inputs
    assert {(given.dataset.name, given.dataset.digest) for given in inputs} == {
        ("train", "0123456789abcdef"),
        ("test", "0123456789abcdef"),
    }
    assert len(inputs) == 2


def test_what_others_read_later_joins_the_points_run(store: str) -> None:
    run_id = Tracker(store, "sweep-f", "name", {}).point(POINT)
    resumed = Tracker(store, "sweep-f", "name", {})
    resumed.reread(POINT, {"accuracy_tesseract": 0.25})
    run = MlflowClient(store).get_run(run_id)
    assert (run.data.metrics["accuracy_tesseract"], run.data.metrics["accuracy"]) == (0.25, 0.5)
    assert run.info.status == "FINISHED"
