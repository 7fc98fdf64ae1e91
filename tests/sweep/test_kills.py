"""A sweep whose workers and driver are killed ends with the table of an undisturbed one."""

import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from commands import call, environment
from mlflow import MlflowClient
from polars.testing import assert_frame_equal

from sweep.results import points
from sweep.tracking.mlflow_store import EXPERIMENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

AT_WORK = "ImplicitFunc"
"""In the names of Ray's processes that work on a point."""
STRIKES = (
    ("measuring the base codec", "base λ"),
    ("searching lambda and beta", "tfic λ"),
)
"""For each driver: the phase of which a worker is killed, and the finished point at whose line the driver is."""
SAME = ("point_id", "kind", "status", "lambda", "beta", "bpp", "bpp_estimated", "accuracy", "psnr_db", "val_bpp")


def start(name: str, folder: Path, data: Path) -> subprocess.Popen[str]:
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            call("smoke_sweep.py", name, str(data)),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def finish(name: str, folder: Path, data: Path) -> None:
    with start(name, folder, data) as driver:
        said = driver.communicate(timeout=600)[0]
    assert driver.returncode == 0, said + (folder / "log.txt").read_text()[-3000:]


def wait_for(said: str, driver: subprocess.Popen[str]) -> None:
    assert driver.stdout is not None
    assert any(said in line for line in driver.stdout), f"the driver ended before it said {said}"


def worker(driver: subprocess.Popen[str]) -> psutil.Process:
    """A process of the driver's that works on a point, once there is one."""
    while driver.poll() is None:
        for process in psutil.Process(driver.pid).children(recursive=True):
            if AT_WORK in _name(process):
                return process
        time.sleep(0.1)
    pytest.fail("the driver ended before anyone worked on a point")


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


def test_a_sweep_whose_workers_and_drivers_are_killed_ends_with_the_same_table(
    data_folder: Path, tmp_path: Path
) -> None:
    finish("calm", tmp_path, data_folder)
    for phase, point in STRIKES:
        with start("disturbed", tmp_path, data_folder) as driver:
            wait_for(phase, driver)
            worker(driver).kill()
            wait_for(point, driver)
            driver.send_signal(signal.SIGKILL)
        assert driver.returncode == -signal.SIGKILL
    finish("disturbed", tmp_path, data_folder)
    calm, disturbed = (points.read(tmp_path / "runs" / name).select(SAME) for name in ("calm", "disturbed"))
    assert_frame_equal(calm, disturbed, check_row_order=False)
    assert calm.height > 10
    assert _mlflow_runs(tmp_path) == 2 * (calm.height + 1)


def _mlflow_runs(folder: Path) -> int:
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return len(client.search_runs([experiment.experiment_id]))
