"""What a sweep writes into a real store, and where the store keeps it."""

import shutil
import socket
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import requests
from commands import command
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.tracking._tracking_service import utils
from tracked import IDENTITY, POINT, PROGRESS, Sweep, runs

from sweep.errors import SweepError
from sweep.results.folder import openable
from sweep.results.point import Point
from sweep.tracking import mlflow_store
from sweep.tracking.mlflow_store import EXPERIMENT
from sweep.tracking.tracker import Tracker

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.mark.slow
def test_a_resumed_sweep_goes_on_in_its_own_runs(store: str, tmp_path: Path) -> None:
    for _ in range(2):
        sweep = Sweep(store, "sweep-a", tmp_path / "name", {"codec": "small"})
        sweep.tracker.log_progress(IDENTITY, PROGRESS)
        sweep.tracker.log_point(POINT)
        sweep.tracker.finish("FINISHED")
        sweep.settle()
    found = runs(store, "sweep-a")
    assert len(found) == 2
    [child] = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    [parent] = [run for run in found if run is not child]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (parent.info.run_name, parent.data.params) == ("name", {"codec": "small"})
    assert {run.info.status for run in found} == {"FINISHED"}


def test_a_point_has_params_metrics_by_step_and_a_status(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-b", tmp_path)
    sweep.tracker.log_progress(IDENTITY, PROGRESS)
    sweep.tracker.log_progress(IDENTITY, PROGRESS._replace(step=20, total=0.5))
    run_id = sweep.point(POINT)
    client = MlflowClient(store)
    run = client.get_run(run_id)
    assert run.data.params == {"lambda": "0.01", "beta": "0.1", "seed": "0"}
    assert (run.data.metrics["bpp"], run.data.metrics["accuracy"], run.data.metrics["val/bpp"]) == (0.1, 0.5, 0.11)
    assert not {"psnr_db", "train/step", "train/workers"} & run.data.metrics.keys()
    history = client.get_metric_history(run_id, "train/total")
    assert [(metric.step, metric.value) for metric in history] == [(10, 1.0), (20, 0.5)]
    assert run.info.status == "FINISHED"


def test_a_failed_point_says_why(store: str, tmp_path: Path) -> None:
    run_id = Sweep(store, "sweep-c", tmp_path).point(
        Point(identity=IDENTITY, status="failed", reason="the loss is nan")
    )
    run = MlflowClient(store).get_run(run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["reason"] == "the loss is nan"


def test_pictures_and_figures_stand_on_the_parent(store: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sweep = Sweep(store, "sweep-d", tmp_path / "run")
    sweep.tracker.log_figure(Figure(), "front.png")
    sweep.tracker.log_metrics({"hypervolume": 0.3, "uncompressed_accuracy": None}, 5)
    sweep.settle()
    client = MlflowClient(store)
    assert [file.path for file in client.list_artifacts(sweep.parent_id)] == ["front.png"]
    beside = _folder(store) / "mlruns" / EXPERIMENT / sweep.parent_id
    assert [path.name for path in beside.rglob("*.png")] == ["front.png"]
    assert not list((tmp_path / "elsewhere").iterdir())
    assert client.get_run(sweep.parent_id).data.metrics == {"hypervolume": 0.3}


@pytest.mark.filterwarnings("error::UserWarning")
def test_the_images_are_named_on_the_parent_once(store: str, tmp_path: Path) -> None:
    splits = {name: pl.DataFrame({"text": ["one", "two"], "font": ["a", None]}) for name in ("train", "test")}
    parents = []
    for _ in range(2):
        sweep = Sweep(store, "sweep-e", tmp_path)
        sweep.tracker.log_dataset(Path("data"), "0123456789abcdef", splits)
        sweep.settle()
        parents.append(sweep.parent_id)
    logged = MlflowClient(store).get_run(parents[0]).inputs
    assert logged is not None
    inputs = logged.dataset_inputs
    assert {(given.dataset.name, given.dataset.digest) for given in inputs} == {
        ("train", "0123456789abcdef"),
        ("test", "0123456789abcdef"),
    }
    assert len(inputs) == 2


def test_accuracies_of_held_out_readers_join_the_run_of_the_point(store: str, tmp_path: Path) -> None:
    run_id = Sweep(store, "sweep-f", tmp_path).point(POINT)
    resumed = Sweep(store, "sweep-f", tmp_path)
    resumed.tracker.log_readings(POINT, {"tesseract": 0.25})
    resumed.settle()
    run = MlflowClient(store).get_run(run_id)
    assert (run.data.metrics["accuracy_tesseract"], run.data.metrics["accuracy"]) == (0.25, 0.5)
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "foo://store", "sqlite:////proc/none/mlflow.db", "http://[x"])
def test_a_store_that_cannot_be_opened_is_one_line(uri: str, tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"cannot be opened \(.*set MLFLOW_TRACKING_URI.*--resume") as error:
        Tracker(uri, "sweep-g", tmp_path, {})
    assert uri in str(error.value)
    assert "\n" not in str(error.value)


def test_a_deleted_experiment_says_how_it_is_restored(store: str, tmp_path: Path) -> None:
    Tracker(store, "sweep-h", tmp_path, {})
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    try:
        with pytest.raises(SweepError, match=f"restore --experiment-id {experiment.experiment_id}, and add --resume"):
            Tracker(store, "sweep-h", tmp_path, {})
    finally:
        client.restore_experiment(experiment.experiment_id)


def test_an_experiment_that_another_sweep_has_just_made_is_used(store: str, tmp_path: Path) -> None:
    opened = mlflow_store.opened(store)
    mlflow_store.create_experiment(opened.client, store)
    assert mlflow_store.opened(store).experiment_id == opened.experiment_id


@pytest.mark.slow
def test_two_sweeps_that_start_together_share_a_new_store(tmp_path: Path) -> None:
    with command(tmp_path, "open_store.py", "sweep-1") as one, command(tmp_path, "open_store.py", "sweep-2") as other:
        complained = [process.communicate(timeout=60)[1] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), complained
    assert [len(runs(f"sqlite:///{tmp_path / 'mlflow.db'}", name)) for name in ("sweep-1", "sweep-2")] == [1, 1]


@pytest.mark.parametrize("name", ["mein prøject #1", "100 % ?"])
def test_a_store_in_a_folder_of_any_name_leaves_nothing_beside_it(
    store: str, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(_folder(store), tmp_path / name)
    monkeypatch.chdir(tmp_path / name)
    tmp_path.chmod(0o555)
    try:
        uri = mlflow_store.default_uri()
        sweep = Sweep(uri, "sweep-q", Path("run"))
        sweep.tracker.log_figure(Figure(), "front.png")
        sweep.settle()
        assert [file.path for file in MlflowClient(openable(uri)).list_artifacts(sweep.parent_id)] == ["front.png"]
    finally:
        tmp_path.chmod(0o755)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sorted(path.name for path in Path().iterdir() if path.is_dir()) == ["mlruns", "run"]


def test_pictures_move_with_the_project(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # MLflow keeps in each process where a run's pictures lie.
    monkeypatch.setattr(utils, "_artifact_repos_cache", OrderedDict())
    place = shutil.copytree(_folder(store), tmp_path / "old #1")
    Sweep(f"sqlite:///{place}/mlflow.db", "sweep-r", place / "run").settle()
    for name, move in (("new", shutil.move), ("copy", shutil.copytree)):
        utils._artifact_repos_cache.clear()
        place = Path(move(place, tmp_path / name))
        moved, later = (
            Sweep(f"sqlite:///{place}/mlflow.db", sweep_id, place / "run")
            for sweep_id in ("sweep-r", f"sweep-r-{name}")
        )
        for sweep in (moved, later):
            sweep.tracker.log_figure(Figure(), f"{name}.png")
            sweep.settle()
            assert f"{name}.png" in {file.path for file in sweep.tracker._runs._client.list_artifacts(sweep.parent_id)}
        assert len([*tmp_path.rglob(f"mlruns/**/{name}.png")]) == len([*place.rglob(f"mlruns/**/{name}.png")]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "new"]


def test_pictures_stay_where_they_are_when_the_store_alone_was_moved(store: str, tmp_path: Path) -> None:
    Sweep(store, "sweep-s", tmp_path / "run").settle()
    (_folder(store) / "mlruns" / EXPERIMENT).mkdir(parents=True, exist_ok=True)
    shutil.copy(_folder(store) / "mlflow.db", tmp_path)
    sweep = Sweep(f"sqlite:///{tmp_path}/mlflow.db", "sweep-s", tmp_path / "run")
    sweep.tracker.log_figure(Figure(), "alone.png")
    sweep.settle()
    assert list((_folder(store) / "mlruns").rglob("alone.png"))


def _folder(store: str) -> Path:
    return Path(store.removeprefix("sqlite:///")).parent


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """MLflow's own, with a store of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    options = ("--port", str(port), "--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db")
    with command(tmp_path, "mlflow", "server", *options) as process:
        while process.poll() is None and not _answers(f"{uri}/health"):
            time.sleep(0.2)
        yield uri


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_takes_all_of_it_and_prints_nothing(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = Sweep(server, "sweep-t", tmp_path / "run")
    sweep.tracker.log_figure(Figure(), "front.png")
    sweep.tracker.log_progress(IDENTITY, PROGRESS)
    run_id = sweep.point(POINT)
    MlflowClient(server).delete_run(run_id)
    assert sweep.point(POINT) != run_id
    sweep.tracker.finish("FINISHED")
    sweep.settle()
    client = MlflowClient(server)
    assert [file.path for file in client.list_artifacts(sweep.parent_id)] == ["front.png"]
    assert client.get_run(sweep.logged["abc"]).data.metrics["bpp"] == 0.1
    assert capsys.readouterr().out == ""
