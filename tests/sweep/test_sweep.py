"""Whole sweeps, as a user runs them: Ray, Optuna, MLflow on SQLite, real files, kills."""

import json
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import formula
import polars as pl
import pytest
from commands import command, completed
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from datagen import shards
from datagen.spec import SPLITS
from sweep import presets, run_log
from sweep.config import override
from sweep.results import points, readings
from sweep.results.choosing import judged
from sweep.results.points import PointTable
from sweep.stages import tree
from sweep.stages.strategies import SHARED
from sweep.tracking.mlflow_store import EXPERIMENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
RUN = Path("runs", "smoke")
SMOKE = ("--preset", "smoke", "--budget", "2", "--from-scratch")
KINDS = {"base": 2, "tfic": 2, "uncompressed": 1}
"""Points of a sweep beside those of the baselines, whose number the images decide."""


def kinds(frame: pl.DataFrame) -> dict[str, int]:
    of_sweep = frame.filter(~pl.col("kind").is_in(["classical", "text"]))
    return dict(of_sweep["kind"].value_counts().iter_rows())


def mlflow_runs(folder: Path) -> list[Run]:
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


class Finished(NamedTuple):
    """A working directory with a finished run, which all tests read and none changes."""

    folder: Path
    said: str
    """What the sweep printed."""
    complained: str
    """What the sweep printed on standard error."""

    @property
    def run(self) -> Path:
        return self.folder / RUN


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    code, said, complained = completed(folder, "sweep.run", *SMOKE)
    assert code == 0, complained
    return Finished(folder, said, complained)


@pytest.fixture
def folder(finished: Finished, tmp_path: Path) -> Path:
    """A copy of that working directory: run, images, MLflow's store and all."""
    return shutil.copytree(finished.folder, tmp_path / "copy")


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
    found = json.loads((Path(_data(finished.folder)) / "readings-english_g2.json").read_text())["found"]
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


def test_a_finished_sweep_grows_without_training_anything_again(folder: Path) -> None:
    count = len(points.read(folder / RUN))
    before = {path: path.stat().st_mtime_ns for path in (folder / RUN / "checkpoints").glob("*.pt")}
    code, said, complained = completed(folder, "sweep.run", *SMOKE[:2], "--budget", "3", "--resume")
    assert code == 0, complained
    after = {path: path.stat().st_mtime_ns for path in (folder / RUN / "checkpoints").glob("*.pt")}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    assert len(points.read(folder / RUN)) == count + 1
    assert len(mlflow_runs(folder)) == count + 2
    assert "base λ" not in said


def test_a_report_is_drawn_again_from_the_folder(folder: Path) -> None:
    (folder / RUN / "front.png").unlink()
    code, said, complained = completed(folder, "sweep.report", str(RUN))
    assert code == 0, complained
    assert "TFIC" in said
    assert (folder / RUN / "front.png").exists()


INTERRUPTIONS = {"training one codec": [signal.SIGHUP], "searching": 2 * [signal.SIGINT]}
"""What a sweep says before it is interrupted, and how; each time it goes on from there."""


def test_an_interrupted_sweep_keeps_its_points_and_goes_on(folder: Path) -> None:
    run = folder / "apart" / "ended"
    start = (*SMOKE, "--out", "apart/ended", "--data", _data(folder))
    resume: tuple[str, ...] = ()
    for said, numbers in INTERRUPTIONS.items():
        with command(folder, "sweep.run", *start, *resume) as process:
            _wait_for(said, process)
            for number in numbers:
                process.send_signal(number)
                time.sleep(0.5)
            saving, complained = process.communicate(timeout=60)
            assert process.returncode == 1
        assert "saving what is under way" in saving
        assert "--resume" in complained
        assert "Traceback" not in complained
        assert resume or len(list((run / "checkpoints").glob("*.partial.pt"))) == 1
        resume = ("--resume",)
    kept = points.read(run)
    codes = [completed(folder, "sweep.run", *start)[0], completed(folder, "sweep.run", *start, "--resume")[0]]
    assert codes == [2, 0]
    frame = points.read(run)
    assert kinds(frame) == KINDS
    again = frame.filter(pl.col("point_id").is_in(kept["point_id"].to_list()))
    later = ("on_front", "accuracy_tesseract", "accuracy_rapidocr")
    assert again.drop(later).equals(kept.drop(later))
    sweep_id = _sweep_id(folder, "ended")
    assert sum(run.data.tags.get("tfic.sweep_id") == sweep_id for run in mlflow_runs(folder)) == len(frame) + 1


def _data(folder: Path) -> str:
    """The images of the finished run, for another."""
    [data] = (folder / "runs" / "data").iterdir()
    return str(data)


def _wait_for(said: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any(said in line for line in process.stdout), "the sweep ended before it said so"


def _sweep_id(folder: Path, name: str) -> str:
    parents = [run for run in mlflow_runs(folder) if run.info.run_name == name]
    [parent] = parents
    return parent.data.tags["tfic.sweep_id"]


def test_a_sweep_on_two_nodes_polishes_on_imported_images_without_texts(folder: Path) -> None:
    (folder / "photos").mkdir()
    rows = pl.concat([shards.read(Path(_data(folder)), split) for split in SPLITS])
    for number, image in enumerate(rows["image"]):
        (folder / "photos" / f"{number}.png").write_bytes(image)
    code, said, _ = completed(folder, "datagen", "import", "photos", "--unlabeled", "--out", "imported")
    assert code == 0, said
    code, said, complained = completed(folder, "two_nodes.py", "runs/nodes", "imported")
    assert code == 0, complained
    assert "2 at a time" in said
    frame = points.read(folder / "runs" / "nodes")
    assert kinds(frame) == KINDS
    fitted = presets.started(presets.smoke()).stage2.steps
    assert set(frame.filter(kind="tfic")["stage2_steps"]) == {fitted + 2}


def test_a_damaged_stage_1_is_set_aside_and_trained_again(folder: Path) -> None:
    run = folder / "runs" / "damaged"
    shared = override(SHARED.split_budget(presets.smoke()), budget=2)
    node = tree.stage1(shared, shared.search.lambdas[0])
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / f"{node.key}.pt").write_bytes(b"damaged")
    start = (*SMOKE, "--strategy", "shared", "--out", str(run), "--data", _data(folder))
    code, _, complained = completed(folder, "sweep.run", *start)
    assert code == 0, complained
    assert f"{node.key}.pt is damaged: it is set aside" in complained
    assert set(points.read(run)["status"]) == {"complete"}


def test_a_point_that_has_lost_its_checkpoint_is_made_again(folder: Path) -> None:
    run = folder / "apart" / "lost"
    shutil.copytree(folder / RUN, run)
    shutil.copytree(folder / "runs" / "data", folder / "apart" / "data")
    before = points.read(run)
    # The report draws points of the front alone.
    lost = before.filter("on_front", kind="tfic")["checkpoint"][0]
    (run / lost).write_bytes((run / lost).read_bytes()[:1000])
    code, said, complained = completed(folder, "sweep.report", str(run))
    assert (code, "is damaged" in complained) == (0, True), complained
    code, said, complained = completed(folder, "sweep.run", *SMOKE, "--out", str(run), "--resume")
    assert code == 0, complained
    assert "making 1 trials again" in said
    same = ("point_id", "status", "bpp", "accuracy", "checkpoint")
    assert points.read(run).select(same).sort("point_id").equals(before.select(same).sort("point_id"))
    assert completed(folder, "sweep.pick", str(run), "--max-bpp", "24", "--out", "again.pt")[0] == 0


def test_a_finished_sweep_is_trained_again_from_another_seed(folder: Path) -> None:
    run = folder / "again" / "run"
    shutil.copytree(folder / RUN, run)
    shutil.copytree(folder / "runs" / "data", folder / "again" / "data")
    count = kinds(points.read(run))["tfic"]
    code, said, complained = completed(folder, "sweep.run", *SMOKE[:2], "--seeds", "2", "--out", str(run), "--resume")
    assert code == 0, complained
    tfic = points.read(run).filter(kind="tfic")
    assert tfic.filter(seed=0).height == count
    repeated = tfic.filter(seed=1)
    assert 0 < repeated.height <= count
    assert {*repeated.select("lambda", "beta").rows()} <= {*tfic.filter(seed=0).select("lambda", "beta").rows()}
    assert repeated["accuracy"].null_count() == 0
    assert "Between 2 seeds" in said


def test_a_recognizer_that_reads_no_image_teaches_none(folder: Path) -> None:
    formula.checkpoint(folder / "blind.pth", "none-rcnn-bilstm-attn", 38)
    blind = ("--recognizer", "none-rcnn-bilstm-attn", "--recognizer-weights", "blind.pth")
    code, _, complained = completed(folder, "sweep.run", *SMOKE, *blind, "--out", "blind/run")
    assert (code, "Traceback" in complained) == (2, False)
    assert "reads no training image" in complained
    log = (folder / "blind" / "run" / run_log.NAME).read_text()
    assert log.count("Traceback") == 1
    assert "reads no training image" in log


def test_a_sweep_against_a_users_checkpoint_draws_what_it_knows(folder: Path) -> None:
    formula.checkpoint(folder / "reader.pth", "none-rcnn-bilstm-attn", 38)
    reader = ("--recognizer-weights", "reader.pth")
    # One that has learned nothing knows its own readings alone.
    start = (*SMOKE, "--recognizer", "none-rcnn-bilstm-attn", *reader, "--labels", "pseudo", "--out", "attention/run")
    code, _, complained = completed(folder, "sweep.run", *start)
    assert code == 0, complained
    assert kinds(points.read(folder / "attention" / "run")) == KINDS
    [data] = (folder / "attention" / "data").iterdir()
    assert shards.read(data, "train", ("text",))["text"].str.contains("^[0-9A-Za-z]+$").all()
    assert completed(folder, "sweep.pick", "attention/run", "--max-bpp", "24", "--out", "attention.pt")[0] == 0
    Image.new("RGB", (256, 64), "white").save(folder / "page.png")
    model = ("--model", "attention.pt")
    assert completed(folder, "models", "compress", "page.png", "page.tfic", *model)[0] == 0
    assert completed(folder, "models", "read", "page.tfic", *model, *reader)[0] == 0
    code, _, complained = completed(folder, "models", "read", "page.tfic", *model)
    assert (code, "--recognizer-weights" in complained) == (2, True)


def test_a_dial_is_exported_and_meets_a_rate(folder: Path) -> None:
    _read_better_at_higher_rates(folder / RUN)
    code, said, complained = completed(folder, "sweep.pick", str(RUN), "--dial", "--out", "dial.pt")
    assert code == 0, complained
    assert "a dial from" in said
    Image.new("RGB", (256, 64), "white").save(folder / "white.png")
    for wish in (("--bpp", "2"), ("--quality", "40")):
        code, said, complained = completed(
            folder, "models", "compress", "white.png", "w.tfic", "--model", "dial.pt", *wish
        )
        assert code == 0, complained
    assert completed(folder, "models", "decompress", "w.tfic", "w.png", "--model", "dial.pt")[0] == 0


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
