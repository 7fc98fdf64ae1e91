"""A sweep whose workers and driver are killed at random times ends with the table of an undisturbed one."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from commands import environment
from mlflow import MlflowClient
from polars.testing import assert_frame_equal

from sweep.results import points
from sweep.tracking.mlflow_store import EXPERIMENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SWEEP = """
import sys
from dataclasses import replace
from pathlib import Path
from sweep import launch
from sweep.run import Arguments, open_run

folder = Path("runs") / sys.argv[1]
wishes = Arguments(preset="smoke", budget=6, strategy="shared", out=folder, resume=folder.exists(), data=DATA)
run = open_run(wishes)
launch.sweep(run)
"""
AT_WORK = ("ImplicitFunc", "_read")
"""In the names of Ray's processes that work on a point, or read images."""
DRIVERS = 2
"""That are killed, a while after one of their workers."""
LONGEST = 6.0
"""Seconds between the sight of work and a kill."""
SAME = ("point_id", "kind", "status", "lambda", "beta", "bpp", "bpp_estimated", "accuracy", "psnr_db", "val_bpp")


@pytest.fixture(scope="module")
def folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kills")
    (folder / "one.py").write_text(SWEEP.replace("DATA", repr(str(data_folder))))
    return folder


def start(name: str, folder: Path) -> subprocess.Popen[str]:
    log = (folder / "log.txt").open("a")
    return subprocess.Popen(
        [sys.executable, "-m", "one", name], cwd=folder, env=environment(), stdout=log, stderr=log, text=True
    )


def finish(name: str, folder: Path) -> None:
    assert start(name, folder).wait(timeout=600) == 0, (folder / "log.txt").read_text()[-3000:]


def workers(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes of the driver's that are at work, once there are any; none when it has ended."""
    while driver.poll() is None:
        found = psutil.Process(driver.pid).children(recursive=True)
        if busy := [process for process in found if any(name in _name(process) for name in AT_WORK)]:
            return busy
        time.sleep(0.2)
    return []


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


def test_kills_change_nothing(folder: Path) -> None:
    finish("calm", folder)
    draw, killed = random.Random(0), []
    for _ in range(DRIVERS):
        driver = start("disturbed", folder)
        for victim in ("worker", "driver"):
            workers(driver)
            time.sleep(draw.uniform(0.5, LONGEST))
            if busy := workers(driver):
                (draw.choice(busy) if victim == "worker" else driver).send_signal(signal.SIGKILL)
                killed.append(victim)
        driver.wait()
    finish("disturbed", folder)
    assert set(killed) == {"worker", "driver"}
    calm, disturbed = (points.read(folder / "runs" / name).select(SAME) for name in ("calm", "disturbed"))
    assert_frame_equal(calm, disturbed, check_row_order=False)
    assert calm.height > 10
    assert _mlflow_runs(folder) == 2 * (calm.height + 1)


def _mlflow_runs(folder: Path) -> int:
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return len(client.search_runs([experiment.experiment_id]))
