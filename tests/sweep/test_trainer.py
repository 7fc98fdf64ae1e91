"""One stage on two workers: a real Ray Train, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPT = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path

import psutil
import ray
import torch

from datagen import dataset, generate
from datagen.shards import Manifest
from sweep import presets, stages
from sweep.config import StageConfig
from sweep.errors import SweepError
from sweep.trainer import train_together
from sweep.trial import Data

data_folder, folder, task = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
(folder / "checkpoints").mkdir(parents=True)
stage = StageConfig(steps=60, batch_size=4, learning_rate=1e30 if task == "diverge" else 1e-3)
config = replace(
    presets.smoke(), data=Manifest.load(data_folder).spec, stage1=stage, report_seconds=0.0, save_seconds=0.0
)
node, killed = stages.conditioned1(config), []

def report(progress):
    print("step", progress.step, flush=True)
    if task == "kill" and progress.step >= 20 and not killed:
        workers = [
            process for process in psutil.Process().children(recursive=True)
            if any("RayTrainWorker" in part for part in process.cmdline())
        ]
        print("workers", len(workers), flush=True)
        killed.append(workers[-1].pid)
        os.kill(killed[0], signal.SIGKILL)

with generate.ray_session(2):
    data = ray.put(Data(*(dataset.load(data_folder, split) for split in ("train", "val", "test"))))
    try:
        train_together(node, config, folder, data, 2, report)
    except SweepError as error:
        print("failed:", error)
files = sorted(path.name for path in (folder / "checkpoints").iterdir())
print("files", files == [f"{node.key}.json", f"{node.key}.pt"])
"""


def run(task: str, data_folder: Path, folder: Path) -> str:
    arguments = [sys.executable, "-c", SCRIPT, str(data_folder), str(folder), task]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_killed_worker_costs_no_step_that_was_saved(data_folder: Path, tmp_path: Path) -> None:
    said = run("kill", data_folder, tmp_path / "run")
    assert "workers 2" in said
    assert said.count("step 10\n") == 1
    assert said.count("step 60\n") == 1
    assert "files True" in said


def test_a_training_that_diverges_ends_with_its_reason(data_folder: Path, tmp_path: Path) -> None:
    said = run("diverge", data_folder, tmp_path / "run")
    assert "failed: the codec's training failed: the loss is" in said
    assert "files False" in said
