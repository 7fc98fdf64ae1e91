"""A real SQLite store."""

from pathlib import Path

import polars as pl
import pytest
from commands import command
from matplotlib.figure import Figure
from mlflow import MlflowClient

from sweep import endurance
from sweep.errors import SweepError
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


def logged(tracker: Tracker, row: Row) -> str:
    run_id = tracker.point(row)
    assert run_id is not None
    return run_id


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
    run_id = logged(tracker, POINT)
    client = MlflowClient(store)
    run = client.get_run(run_id)
    assert run.data.params == {"kind": "tfic", "lambda": "0.01", "beta": "0.1", "codec": "small", "seed": "0"}
    assert (run.data.metrics["bpp"], run.data.metrics["accuracy"], run.data.metrics["val/bpp"]) == (0.1, 0.5, 0.11)
    assert not {"psnr_db", "train/step", "train/workers"} & run.data.metrics.keys()
    history = client.get_metric_history(run_id, "train/total")
    assert [(metric.step, metric.value) for metric in history] == [(10, 1.0), (20, 0.5)]
    assert run.info.status == "FINISHED"


def test_a_failed_point_says_why(store: str) -> None:
    tracker = Tracker(store, "sweep-c", "name", {})
    run_id = logged(tracker, IDENTITY | {"status": "failed", "reason": "the loss is nan"})
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
    beside = Path(store.removeprefix("sqlite:///")).parent / "mlruns"
    assert [path.name for path in beside.rglob("front.png")] == ["front.png"]
    assert not list(tmp_path.iterdir())
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
    run_id = logged(Tracker(store, "sweep-f", "name", {}), POINT)
    resumed = Tracker(store, "sweep-f", "name", {})
    resumed.reread(POINT, {"accuracy_tesseract": 0.25})
    run = MlflowClient(store).get_run(run_id)
    assert (run.data.metrics["accuracy_tesseract"], run.data.metrics["accuracy"]) == (0.25, 0.5)
    assert run.info.status == "FINISHED"


def test_a_run_that_was_deleted_meanwhile_is_written_anew(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endurance, "PATIENCE", 0.0)
    tracker = Tracker(store, "sweep-k", "name", {})
    deleted = logged(tracker, POINT)
    MlflowClient(store).delete_run(deleted)
    assert tracker.point(POINT) is None
    assert logged(tracker, POINT) != deleted


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "foo://store", "sqlite:////proc/none/mlflow.db", "http://[x"])
def test_a_store_that_cannot_be_opened_is_one_line(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SweepError, match=r"cannot be opened \(.*set MLFLOW_TRACKING_URI.*--resume") as error:
        Tracker(uri, "sweep-g", "name", {})
    assert uri in str(error.value)
    assert "\n" not in str(error.value)


def test_a_deleted_experiment_says_how_it_is_restored(store: str) -> None:
    Tracker(store, "sweep-h", "name", {})
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    try:
        with pytest.raises(SweepError, match=f"restore --experiment-id {experiment.experiment_id}, and add --resume"):
            Tracker(store, "sweep-h", "name", {})
    finally:
        client.restore_experiment(experiment.experiment_id)


def test_an_experiment_that_another_sweep_has_just_made_is_used(store: str) -> None:
    tracker = Tracker(store, "sweep-i", "name", {})
    assert tracker._new_experiment() == tracker._experiment


OPENING = """
import sys
import time
from pathlib import Path
from sweep.tracking import Tracker

Path(sys.argv[1]).touch()
while len(list(Path().glob("sweep-*"))) < 2:
    time.sleep(0.001)
Tracker("sqlite:///mlflow.db", sys.argv[1], "name", {})
"""


@pytest.mark.slow
def test_two_sweeps_that_start_together_share_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "opening.py").write_text(OPENING)
    with command(tmp_path, "opening", "sweep-1") as one, command(tmp_path, "opening", "sweep-2") as other:
        complained = [process.communicate(timeout=60)[1] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), complained
    assert [len(runs(f"sqlite:///{tmp_path / 'mlflow.db'}", name)) for name in ("sweep-1", "sweep-2")] == [1, 1]


def test_a_server_that_is_away_is_told_once_and_then_left_alone(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(endurance, "PATIENCE", 1e6)
    said: list[str] = []
    tracker = Tracker(store, "sweep-j", "name", {}, said.append)
    here, tracker._client = tracker._client, MlflowClient("http://127.0.0.1:9")
    assert tracker.point(POINT) is None
    tracker._client = here
    assert tracker.point(POINT) is None
    tracker.endurance.renew()
    assert tracker.point(POINT) in tracker.run_ids
    [line] = said
    assert "Connection refused" in line
    assert "\n" not in line
