"""What a sweep leaves in a real store for people who browse: tags, tables, pictures, words."""

import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlflow import MlflowClient
from PIL import Image
from tracked import IDENTITY, POINT, PROGRESS, Sweep, runs

from sweep.results import readings
from sweep.results.point import Reading
from sweep.tracking import outbox
from sweep.tracking.mlflow_store import EXPERIMENT
from sweep.tracking.outbox import Entry

pytestmark = pytest.mark.usefixtures("no_waiting")

OTHER = replace(POINT, identity=replace(IDENTITY, point_id="other"))


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((8, 16, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def on_front(store: str, sweep_id: str) -> set[str]:
    """Names of the points that the page finds with the filter that the description gives."""
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    query = f"tags.`tfic.sweep_id` = '{sweep_id}' and tags.on_front = 'true'"
    return {run.data.tags["tfic.point_id"] for run in client.search_runs([experiment.experiment_id], query)}


def test_the_tag_of_the_front_follows_the_front(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "browsed-a", tmp_path)
    for point in (POINT, OTHER):
        sweep.point(point)
    for front in ({"abc"}, {"abc", "other"}, {"other"}):
        sweep.tracker.log_front(front)
        sweep.settle()
        assert on_front(store, "browsed-a") == front
    resumed = Sweep(store, "browsed-a", tmp_path)
    resumed.settle()
    resumed.tracker.log_front({"other"})
    assert resumed.tracker._outbox.waiting() == []
    resumed.tracker.log_front({"abc"})
    resumed.settle()
    assert on_front(store, "browsed-a") == {"abc"}


def test_what_waits_in_the_queue_is_known_of_the_front_and_the_pictures(store: str, tmp_path: Path) -> None:
    first = Sweep(store, "browsed-b", tmp_path)
    first.settle()
    first.tracker._outbox._send = lambda entry: (_ for _ in ()).throw(outbox.StoreError("away"))
    first.tracker.log_point(POINT)
    first.tracker.log_front({"abc"})
    first.tracker.log_pictures(POINT, {"test image 0": png()})
    second = Sweep(store, "browsed-b", tmp_path)
    assert second.tracker.pictured(POINT)
    second.tracker.log_front({"abc"})
    second.settle()
    assert on_front(store, "browsed-b") == {"abc"}


def test_points_can_be_filtered_by_kind_codec_and_status(store: str, tmp_path: Path) -> None:
    tags = MlflowClient(store).get_run(Sweep(store, "browsed-c", tmp_path).point(POINT)).data.tags
    assert {name: tags[name] for name in ("kind", "codec", "status", "on_front")} == {
        "kind": "tfic",
        "codec": "small",
        "status": "complete",
        "on_front": "false",
    }


def test_readings_are_a_table_of_the_page(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [Reading(1, 30, "word", "word", 1.0, confidence=0.8754), Reading(0, 20, "ε", "εν", 0.5)]
    readings.replace(tmp_path, "abc", kept)
    sweep = Sweep(store, "browsed-d", tmp_path)
    client, run_id = MlflowClient(store), sweep.point(POINT)
    sweep.point(POINT)
    [artifact] = client.list_artifacts(run_id)
    table = json.loads(Path(client.download_artifacts(run_id, artifact.path)).read_text())
    assert table["columns"] == ["index", "truth", "read", "accuracy", "confidence", "bytes"]
    assert table["data"] == [[0, "εν", "ε", 0.5, None, 20], [1, "word", "word", 1.0, 0.875, 30]]
    # MLflow looks for runs with tables in the store of the environment.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    shown = client.load_table(client.get_run(run_id).info.experiment_id, artifact.path, [run_id])
    assert [*shown["read"]] == ["ε", "word"]


def test_pictures_stand_once_in_the_grid_whoever_resumes(store: str, tmp_path: Path) -> None:
    def resumed() -> str:
        sweep = Sweep(store, "browsed-e", tmp_path)
        run_id = sweep.point(POINT)
        sweep.tracker.log_pictures(POINT, {f"test image {index}": png() for index in range(2)})
        sweep.settle()
        return run_id

    resumed()
    run_id = resumed()
    files = [file.path for file in MlflowClient(store).list_artifacts(run_id, "images")]
    assert sorted(path.split("+")[0] for path in files if path.endswith(".png")) == [
        "images/test image 0",
        "images/test image 1",
    ]
    sweep = Sweep(store, "browsed-e", tmp_path)
    assert sweep.tracker.pictured(POINT)
    assert not sweep.tracker.pictured(OTHER)
    sweep.settle()


def test_a_run_that_somebody_has_deleted_is_not_made_again_for_a_tag(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "browsed-f", tmp_path)
    MlflowClient(store).delete_run(sweep.point(POINT))
    sweep.tracker.log_front({"abc"})
    sweep.tracker.settle(20)
    [line] = sweep.said
    assert "the run of point abc is deleted" in line
    assert [run.info.run_id for run in runs(store, "browsed-f")] == [sweep.parent_id]


def test_a_point_names_the_test_images_it_was_measured_on(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "browsed-g", tmp_path)
    splits = {name: pl.DataFrame({"text": ["one"]}) for name in ("train", "test")}
    sweep.tracker.log_dataset(Path("data"), "0123456789abcdef", splits)
    inputs = MlflowClient(store).get_run(sweep.point(POINT)).inputs
    assert inputs is not None
    assert [each.dataset.name for each in inputs.dataset_inputs] == ["test"]


def test_the_experiment_opens_as_training_runs_and_keeps_what_people_write(store: str, tmp_path: Path) -> None:
    Sweep(store, "browsed-h", tmp_path).settle()
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert "tags.on_front = 'true'" in experiment.tags["mlflow.note.content"]
    client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "mine")
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database, database:
        database.execute("DELETE FROM experiment_tags WHERE key = 'mlflow.experimentKind'")
    sweep = Sweep(store, "browsed-h", tmp_path)
    sweep.settle()
    tags = client.get_experiment(experiment.experiment_id).tags
    assert (tags["mlflow.experimentKind"], tags["mlflow.note.content"]) == ("custom_model_development", "mine")
    parent = client.get_run(sweep.parent_id).data.tags
    assert "report.html" in parent["mlflow.note.content"]
    assert parent["kind"] == "sweep"


def test_entries_of_an_earlier_release_are_sent(store: str, tmp_path: Path) -> None:
    queue = tmp_path / "tune" / "mlflow"
    queue.mkdir(parents=True)
    earlier = {"point": IDENTITY.columns(), "time_ms": 5, "metrics": {"bpp": 0.1}, "step": 4, "params": {}}
    earlier |= {"tags": {"status": "complete"}, "datasets": {}, "file": None, "status": "FINISHED", "curve": None}
    (queue / "000000000001.json").write_text(json.dumps(earlier))
    sweep = Sweep(store, "browsed-i", tmp_path)
    sweep.tracker.log_progress(IDENTITY, PROGRESS)
    sweep.settle()
    assert MlflowClient(store).get_run(sweep.logged["abc"]).data.metrics["bpp"] == 0.1
    assert not list(queue.glob("*.damaged"))
    assert {*earlier} < {*Entry.__dataclass_fields__}
