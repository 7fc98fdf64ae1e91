"""Whole sweeps that go on: with a larger budget, after a kill, without what was lost, from other seeds."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest
from commands import command, completed
from sweeps import KINDS, RUN, SMOKE, data_of, kinds, mlflow_runs

from sweep import presets
from sweep.config import override
from sweep.results import points
from sweep.stages import tree
from sweep.stages.strategies import SHARED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
INTERRUPTIONS = {"training one codec": [signal.SIGHUP], "searching": 2 * [signal.SIGINT]}
"""What a sweep says before it is interrupted, and how; each time it goes on from there."""


def test_a_finished_sweep_grows_without_training_anything_again(copied: Path) -> None:
    count = len(points.read(copied / RUN))
    before = {path: path.stat().st_mtime_ns for path in (copied / RUN / "checkpoints").glob("*.pt")}
    code, said, complained = completed(copied, "sweep.run", *SMOKE[:2], "--budget", "3", "--resume")
    assert code == 0, complained
    after = {path: path.stat().st_mtime_ns for path in (copied / RUN / "checkpoints").glob("*.pt")}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    assert len(points.read(copied / RUN)) == count + 1
    assert len(mlflow_runs(copied)) == count + 2
    assert "base λ" not in said


def test_an_interrupted_sweep_keeps_its_points_and_goes_on(copied: Path) -> None:
    run = copied / "apart" / "ended"
    start = (*SMOKE, "--out", "apart/ended", "--data", data_of(copied))
    resume: tuple[str, ...] = ()
    for said, numbers in INTERRUPTIONS.items():
        with command(copied, "sweep.run", *start, *resume) as process:
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
    codes = [completed(copied, "sweep.run", *start)[0], completed(copied, "sweep.run", *start, "--resume")[0]]
    assert codes == [2, 0]
    frame = points.read(run)
    assert kinds(frame) == KINDS
    again = frame.filter(pl.col("point_id").is_in(kept["point_id"].to_list()))
    later = ("on_front", "accuracy_tesseract", "accuracy_rapidocr")
    assert again.drop(later).equals(kept.drop(later))
    sweep_id = _sweep_id(copied, "ended")
    assert sum(run.data.tags.get("tfic.sweep_id") == sweep_id for run in mlflow_runs(copied)) == len(frame) + 1


def _wait_for(said: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any(said in line for line in process.stdout), "the sweep ended before it said so"


def _sweep_id(folder: Path, name: str) -> str:
    parents = [run for run in mlflow_runs(folder) if run.info.run_name == name]
    [parent] = parents
    return parent.data.tags["tfic.sweep_id"]


def test_a_damaged_stage_1_is_set_aside_and_trained_again(copied: Path) -> None:
    run = copied / "runs" / "damaged"
    shared = override(SHARED.split_budget(presets.smoke()), budget=2)
    node = tree.stage1(shared, shared.search.lambdas[0])
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / f"{node.key}.pt").write_bytes(b"damaged")
    start = (*SMOKE, "--strategy", "shared", "--out", str(run), "--data", data_of(copied))
    code, _, complained = completed(copied, "sweep.run", *start)
    assert code == 0, complained
    assert f"{node.key}.pt is damaged: it is set aside" in complained
    assert set(points.read(run)["status"]) == {"complete"}


def test_a_point_that_has_lost_its_checkpoint_is_made_again(copied: Path) -> None:
    run = copied / "apart" / "lost"
    shutil.copytree(copied / RUN, run)
    shutil.copytree(copied / "runs" / "data", copied / "apart" / "data")
    before = points.read(run)
    # The report draws points of the front alone.
    lost = before.filter("on_front", kind="tfic")["checkpoint"][0]
    (run / lost).write_bytes((run / lost).read_bytes()[:1000])
    code, said, complained = completed(copied, "sweep.report", str(run))
    assert (code, "is damaged" in complained) == (0, True), complained
    code, said, complained = completed(copied, "sweep.run", *SMOKE, "--out", str(run), "--resume")
    assert code == 0, complained
    assert "making 1 trials again" in said
    same = ("point_id", "status", "bpp", "accuracy", "checkpoint")
    assert points.read(run).select(same).sort("point_id").equals(before.select(same).sort("point_id"))
    assert completed(copied, "sweep.pick", str(run), "--max-bpp", "24", "--out", "again.pt")[0] == 0


def test_a_finished_sweep_is_trained_again_from_another_seed(copied: Path) -> None:
    run = copied / "again" / "run"
    shutil.copytree(copied / RUN, run)
    shutil.copytree(copied / "runs" / "data", copied / "again" / "data")
    count = kinds(points.read(run))["tfic"]
    code, said, complained = completed(copied, "sweep.run", *SMOKE[:2], "--seeds", "2", "--out", str(run), "--resume")
    assert code == 0, complained
    tfic = points.read(run).filter(kind="tfic")
    assert tfic.filter(seed=0).height == count
    repeated = tfic.filter(seed=1)
    assert 0 < repeated.height <= count
    assert {*repeated.select("lambda", "beta").rows()} <= {*tfic.filter(seed=0).select("lambda", "beta").rows()}
    assert repeated["accuracy"].null_count() == 0
    assert "Between 2 seeds" in said
