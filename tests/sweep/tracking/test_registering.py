"""A codec that is logged in a real store is registered, and loaded by somebody who has none of our code."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from PIL import Image
from tracked import POINT, Sweep

from datagen.dataset import TextImages
from models import reading
from models.files import tfic
from models.files.model import TrainedCodec
from models.recognizers.ctc_attention import CtcRecognizer
from sweep.errors import SweepError
from sweep.presets import smoke
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.tracking.registering import ALIAS, register
from sweep.tracking.tracker import Tracker

pytestmark = pytest.mark.usefixtures("no_waiting")

LOADED = """
import sys, warnings
from pathlib import Path
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
images = pd.DataFrame({"image": [Path(sys.argv[3]).read_bytes()]})
Path("one.tfic").write_bytes(model.predict(images)["tfic"][0])
Path("one.txt").write_text(model.predict(images, params={"give": "text"})["text"][0])
try:
    model.predict(pd.DataFrame({"image": [b"no image"]}))
except mlflow.MlflowException as error:
    Path("error.txt").write_text(str(error))
"""


class Logged(NamedTuple):
    """A run's folder, with a point of the front that MLflow has, and its logged model."""

    run: RunFolder
    point: Point
    model_id: str


@pytest.fixture
def logged(store: str, tmp_path: Path, trained: TrainedCodec) -> Logged:
    sweep_id = f"registered-{tmp_path.name}"
    sweep = Sweep(store, sweep_id, tmp_path)
    sweep.tracker.log_dataset(Path("data"), "0123456789abcdef", {"test": pl.DataFrame({"text": ["one"]})})
    run_id = sweep.point(POINT)
    # An interrupted process leaves it in the queue.
    left = Tracker(store, sweep_id, tmp_path, {})
    left.log_model(POINT, trained)
    resumed = Sweep(store, sweep_id, tmp_path)
    assert resumed.tracker.modeled(POINT)
    resumed.tracker.log_model(POINT, trained)
    resumed.settle()
    assert not list((tmp_path / "tune" / "mlflow").iterdir())
    assert Sweep(store, sweep_id, tmp_path).tracker.modeled(POINT)
    [model] = models_of(store, run_id)
    run = RunFolder(tmp_path, smoke(), "smoke", tmp_path, "registered", store)
    return Logged(run, replace(POINT, mlflow_run_id=run_id), model.model_id)


def models_of(store: str, run_id: str) -> list[LoggedModel]:
    client = MlflowClient(store, store)
    outputs = client.get_run(run_id).outputs
    return [client.get_logged_model(output.model_id) for output in outputs.model_outputs] if outputs else []


def test_a_logged_model_is_linked_to_run_and_images(store: str, logged: Logged) -> None:
    client, run_id = MlflowClient(store, store), str(logged.point.mlflow_run_id)
    assert client.get_run(run_id).info.status == "FINISHED"
    model = client.get_logged_model(logged.model_id)
    assert (model.source_run_id, model.name, model.params["lambda"]) == (run_id, "tfic-abc", "0.01")
    assert model.metrics is not None
    assert {(each.key, each.value, each.dataset_name) for each in model.metrics} >= {
        ("bpp", 0.1, "test"),
        ("accuracy", 0.5, "test"),
    }
    assert len(client.get_metric_history(run_id, "bpp")) == 1


def test_the_logged_model_is_registered(store: str, tmp_path: Path, logged: Logged) -> None:
    run, point, model_id = logged
    # No model.pt is read.
    assert [register(run, point, tmp_path / "none.pt", "one") for _ in range(2)] == [f"models:/one@{ALIAS}"] * 2
    client = MlflowClient(store, store)
    version = client.get_model_version_by_alias("one", ALIAS)
    assert (int(version.version), version.run_id) == (2, point.mlflow_run_id)
    assert version.source == client.get_logged_model(model_id).artifact_location
    assert [model.model_id for model in models_of(store, str(point.mlflow_run_id))] == [model_id]


def test_a_point_beside_the_front_is_logged_when_it_is_registered(
    store: str, tmp_path: Path, trained: TrainedCodec
) -> None:
    run_id = Sweep(store, "beside", tmp_path).point(POINT)
    run = RunFolder(tmp_path, smoke(), "smoke", tmp_path, "beside", store)
    trained.save(tmp_path / "model.pt")
    register(run, replace(POINT, mlflow_run_id=run_id), tmp_path / "model.pt", "beside")
    assert len(models_of(store, run_id)) == 1
    assert (tmp_path / "model.pt").exists()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_logged_model_is_loaded_without_our_code(
    store: str,
    tmp_path: Path,
    logged: Logged,
    trained: TrainedCodec,
    test_images: TextImages,
    recognizer: CtcRecognizer,
) -> None:
    Image.fromarray(test_images.images[0]).save(tmp_path / "one.png")
    command = [sys.executable, "-I", "-c", LOADED, store, f"models:/{logged.model_id}", "one.png"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=100)
    data = tfic.encode(trained, test_images.images[0])
    assert (tmp_path / "one.tfic").read_bytes() == data
    assert (tmp_path / "one.txt").read_text() == reading.text(tfic.decode(trained, data), recognizer, "one")
    assert "image 0 cannot be read as an image" in (tmp_path / "error.txt").read_text()


def test_a_point_that_mlflow_lacks_says_how_it_is_sent(store: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path, smoke(), "smoke", tmp_path, "registered", store)
    with pytest.raises(SweepError, match=r"no run of point abc; .*--resume"):
        register(run, POINT, tmp_path / "model.pt", "three")
