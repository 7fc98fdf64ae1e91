"""A codec that is registered in a real store is loaded by somebody who has none of our code."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient
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


@pytest.fixture
def logged(store: str, tmp_path: Path) -> tuple[RunFolder, Point]:
    """A run's folder, with a point that MLflow has."""
    sweep = Sweep(store, f"registered-{tmp_path.name}", tmp_path)
    sweep.tracker.log_dataset(Path("data"), "0123456789abcdef", {"test": pl.DataFrame({"text": ["one"]})})
    run_id = sweep.point(POINT)
    run = RunFolder(tmp_path, smoke(), "smoke", tmp_path, "registered", store)
    return run, replace(POINT, mlflow_run_id=run_id)


def test_a_registered_codec_is_linked_to_run_and_images(
    store: str, tmp_path: Path, logged: tuple[RunFolder, Point], trained: TrainedCodec
) -> None:
    trained.save(tmp_path / "model.pt")
    run, point = logged
    assert [register(run, point, tmp_path / "model.pt", "one") for _ in range(2)] == [f"models:/one@{ALIAS}"] * 2
    client = MlflowClient(store, store)
    version = client.get_model_version_by_alias("one", ALIAS)
    assert (int(version.version), version.run_id) == (2, point.mlflow_run_id)
    child = client.get_run(str(point.mlflow_run_id))
    assert child.info.status == "FINISHED"
    assert child.outputs is not None
    models = [client.get_logged_model(output.model_id) for output in child.outputs.model_outputs]
    assert len(models) == 2
    [model] = [model for model in models if model.artifact_location == version.source]
    assert model.source_run_id == point.mlflow_run_id
    assert model.params["lambda"] == "0.01"
    assert model.metrics is not None
    assert {(each.key, each.value, each.dataset_name) for each in model.metrics} >= {
        ("bpp", 0.1, "test"),
        ("accuracy", 0.5, "test"),
    }
    assert len(client.get_metric_history(str(point.mlflow_run_id), "bpp")) == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_registered_codec_is_loaded_without_our_code(
    store: str,
    tmp_path: Path,
    logged: tuple[RunFolder, Point],
    trained: TrainedCodec,
    test_images: TextImages,
    recognizer: CtcRecognizer,
) -> None:
    trained.save(tmp_path / "model.pt")
    Image.fromarray(test_images.images[0]).save(tmp_path / "one.png")
    uri = register(*logged, tmp_path / "model.pt", "two")
    command = [sys.executable, "-I", "-c", LOADED, store, uri, "one.png"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=100)
    data = tfic.encode(trained, test_images.images[0])
    assert (tmp_path / "one.tfic").read_bytes() == data
    assert (tmp_path / "one.txt").read_text() == reading.text(trained, data, recognizer, "one")
    assert "image 0 cannot be read as an image" in (tmp_path / "error.txt").read_text()


def test_a_point_that_mlflow_lacks_says_how_it_is_sent(logged: tuple[RunFolder, Point], tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"no run of point abc; .*--resume"):
        register(logged[0], POINT, tmp_path / "model.pt", "three")
