"""A whole sweep, as a user runs it, on MLflow by SQLite: what it leaves, says and draws, and what is picked of it."""

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from commands import completed
from mlflow import MlflowClient
from PIL import Image
from sweeps import KINDS, RUN, Finished, data_of, kinds, mlflow_runs

from datagen.spec import SPLITS
from sweep import presets, run_log
from sweep.results import points, readings
from sweep.results.choosing import judged
from sweep.results.points import PointTable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_sweep_leaves_every_point(finished: Finished) -> None:
    frame = points.read(finished.run)
    assert kinds(frame) == KINDS
    assert set(frame["status"]) == {"complete"}
    coded = frame.filter(pl.col("kind").is_in(["base", "tfic"]))
    assert (
        coded.select(pl.col("bpp", "accuracy", "psnr_db", "encode_ms", "train_seconds").is_null().any()).row(0)
        == (False,) * 5
    )
    assert all((finished.run / checkpoint).exists() for checkpoint in coded["checkpoint"])
    assert frame["mlflow_run_id"].n_unique() == len(frame)


def test_a_sweep_measures_what_needs_no_training(finished: Finished) -> None:
    frame = points.read(finished.run)
    assert frame.filter(kind="classical", status="complete").drop_nulls(["bpp_own", "val_bpp_own"]).height > 1
    assert "text-english_g2" in frame.filter(kind="text")["codec"]


def test_a_sweep_keeps_what_was_read_in_each_image_of_each_point(finished: Finished) -> None:
    rows, frame = readings.read(finished.run), points.read(finished.run)
    means = rows.group_by("point_id").agg(
        pl.len(), pl.col("accuracy").mean(), (pl.col("bytes") * 8 / (64 * 256)).mean()
    )
    both = frame.join(means, on="point_id", suffix="_of_images")
    assert len(both) == len(frame)
    assert set(both["len"]) == {presets.smoke().data.test}
    assert both["accuracy_of_images"].to_list() == pytest.approx(both["accuracy"].to_list())
    assert both["bytes"].to_list() == pytest.approx(both["bpp"].to_list())
    page = (finished.run / "report.html").read_text()
    assert "accuracy_low" in page
    assert "with 95 % confidence" in page
    assert "with 95 % confidence" in finished.said


def test_a_sweep_keeps_how_the_images_are_read(finished: Finished) -> None:
    found = json.loads((Path(data_of(finished.folder)) / "readings-english_g2.json").read_text())["found"]
    assert len(found) == 96
    assert 0.5 < sum(accuracy >= 0.7 for _, accuracy in found) / 96 < 1


def test_a_sweep_says_what_it_took_and_what_to_do_next(finished: Finished) -> None:
    said = finished.said
    assert re.search(r"\d+:\d\d of wall time, \d+:\d\d of training in all, \d+\.\d GiB of memory", said)
    assert all(word in said for word in ("left", "the front", "mlflow ui", "sweep.pick", "report.html"))


def test_what_ray_warns_of_stands_in_the_log_alone(finished: Finished) -> None:
    """Ray Tune looks for files of metrics, which nobody lets it write."""
    warning = "Failed to fetch metrics"
    assert warning in (finished.run / run_log.NAME).read_text()
    assert warning not in finished.said + finished.complained


def test_a_sweep_draws_its_pictures(finished: Finished) -> None:
    for name in ("front.png", "reconstructions.png"):
        with Image.open(finished.run / name) as picture:
            assert min(picture.size) > 300
    assert "data:image/webp;base64" in (finished.run / "report.html").read_text()


def test_mlflow_holds_a_parent_and_a_child_a_point(finished: Finished) -> None:
    runs = mlflow_runs(finished.folder)
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    [parent] = [run for run in runs if run not in children]
    assert len(children) == len(points.read(finished.run))
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    tfic = next(run for run in children if run.data.tags["kind"] == "tfic")
    assert {"lambda", "beta", "stage1_steps"} <= tfic.data.params.keys()
    assert {"bpp", "accuracy", "psnr_db", "val/accuracy"} <= tfic.data.metrics.keys()
    assert {"stage 1/bpp", "stage 2/ocr", "hypervolume"} <= parent.data.metrics.keys()
    client = MlflowClient(f"sqlite:///{finished.folder / 'mlflow.db'}")
    artifacts = {file.path for file in client.list_artifacts(parent.info.run_id)}
    pictures = {"front.png", "reconstructions.png", "contact-test.png"}
    assert pictures | {"summary.json", "legibility-english_g2.json"} <= artifacts
    assert parent.inputs is not None
    assert {given.dataset.name for given in parent.inputs.dataset_inputs} == set(SPLITS)


def test_a_report_is_drawn_again_from_the_folder(copied: Path) -> None:
    (copied / RUN / "front.png").unlink()
    code, said, complained = completed(copied, "sweep.report", str(RUN))
    assert code == 0, complained
    assert "TFIC" in said
    assert (copied / RUN / "front.png").exists()


INTERRUPTIONS = {"training one codec": [signal.SIGHUP], "searching": 2 * [signal.SIGINT]}
"""What a sweep says before it is interrupted, and how; each time it goes on from there."""


def test_a_point_is_picked_and_compresses_an_image(finished: Finished, tmp_path: Path) -> None:
    run = str(finished.run)
    code, said, complained = completed(tmp_path, "sweep.pick", run, "--max-bpp", "1", "--out", "model.pt")
    assert code == 0, complained
    assert "with 95 % intervals" in said
    assert "# model.pt" in (tmp_path / "model.md").read_text()
    Image.new("RGB", (100, 40), "white").save(tmp_path / "image.png")
    code, said, _ = completed(tmp_path, "models", "compress", "image.png", "image.tfic", "--model", "model.pt")
    assert (code, (tmp_path / "image.tfic").exists()) == (0, True), said
    code, _, complained = completed(tmp_path, "sweep.pick", run, "--max-bpp", "0.0001", "--out", "none.pt")
    assert code == 2
    assert "the smallest needs" in complained


def test_a_dial_is_exported_and_meets_a_rate(copied: Path) -> None:
    _read_better_at_higher_rates(copied / RUN)
    code, said, complained = completed(copied, "sweep.pick", str(RUN), "--dial", "--out", "dial.pt")
    assert code == 0, complained
    assert "a dial from" in said
    Image.new("RGB", (256, 64), "white").save(copied / "white.png")
    for wish in (("--bpp", "2"), ("--quality", "40")):
        code, said, complained = completed(
            copied, "models", "compress", "white.png", "w.tfic", "--model", "dial.pt", *wish
        )
        assert code == 0, complained
    assert completed(copied, "models", "decompress", "w.tfic", "w.png", "--model", "dial.pt")[0] == 0


def _read_better_at_higher_rates(run: Path) -> None:
    """Gives the points of a run that has hardly been trained the accuracies of one that has, so that all make a
    front."""
    table = PointTable(run)
    found = sorted(table.of("tfic", "complete"), key=judged)
    for rank, point in enumerate(found, 1):
        assert point.val is not None
        accuracy = rank / len(found)
        table.add(
            replace(
                point,
                test=replace(point.measured, accuracy=accuracy),
                val=replace(point.val, accuracy=accuracy),
            )
        )


def test_a_dial_and_a_rate_exclude_each_other(finished: Finished, tmp_path: Path) -> None:
    code, _, complained = completed(
        tmp_path, "sweep.pick", str(finished.run), "--dial", "--max-bpp", "1", "--out", "no.pt"
    )
    assert (code, (tmp_path / "no.pt").exists()) == (2, False)
    assert "give exactly one of --max-bpp" in complained
