"""One stage on two workers: a real Ray Train, in a process of its own."""

from pathlib import Path

import pytest
from commands import completed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPT = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path

import psutil
import ray
from ray.cluster_utils import Cluster

from datagen import dataset, generate
from datagen.shards import Manifest
from sweep import presets
from sweep import graceful_stop
from sweep.stages import tree
from sweep.config import StageConfig
from sweep.errors import SweepError
from sweep.cluster.trainer import train_together
from sweep.trials.trial import Data

data_folder, folder, task = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3]
(folder / "checkpoints").mkdir(parents=True)
steps, rate = 120 if task == "interrupt" else 60, 1e30 if task == "diverge" else 1e-3
stage = StageConfig(steps=steps, batch_size=4, learning_rate=rate)
config = replace(
    presets.smoke(), data=Manifest.load(data_folder).spec, stage1=stage, report_seconds=0.0, save_seconds=0.0
)
node, lost = stages.conditioned1(config), []

def report(progress):
    print("step", progress.step, "by", progress.workers, flush=True)
    if task in LOSSES and progress.step >= 20 and not lost:
        lost.append(task)
        LOSSES[task]()

def kill_a_worker():
    workers = [
        process for process in psutil.Process().children(recursive=True)
        if any("RayTrainWorker" in part for part in process.cmdline())
    ]
    os.kill(workers[-1].pid, signal.SIGKILL)

def remove_a_node():
    nodes.remove_node(second, allow_graceful=False)

LOSSES = {"kill": kill_a_worker, "remove": remove_a_node, "interrupt": lambda: interruption.ask(folder)}
if task == "remove":
    # A fifth of what a user waits for a node that may come back.
    os.environ["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] = "12"
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = nodes.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = nodes.address

with generate.ray_session(2):
    data = ray.put(Data(*(dataset.load(data_folder, split) for split in ("train", "val", "test"))))
    try:
        train_together(node, config, folder, data, 2, report)
    except SweepError as error:
        print("failed:", error)
    except KeyboardInterrupt:
        print("interrupted", (folder / "checkpoints" / f"{node.key}.partial.pt").exists())
        interruption.sign(folder).unlink()
        train_together(node, config, folder, data, 2, report)
files = sorted(path.name for path in (folder / "checkpoints").iterdir())
print("files", files == [f"{node.key}.json", f"{node.key}.pt"])
if task == "remove":
    nodes.shutdown()
"""


def run(task: str, data_folder: Path, folder: Path) -> str:
    (folder / "together.py").write_text(SCRIPT)
    code, said, complained = completed(folder, "together", str(data_folder), "run", task)
    assert code == 0, complained[-3000:]
    return said


def test_a_killed_worker_costs_no_step_that_was_saved(data_folder: Path, tmp_path: Path) -> None:
    said = run("kill", data_folder, tmp_path)
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 60 by 2\n") == 1
    assert "files True" in said


def test_all_workers_end_when_they_are_asked_to_and_go_on_from_there(data_folder: Path, tmp_path: Path) -> None:
    said = run("interrupt", data_folder, tmp_path)
    assert "interrupted True" in said
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 120 by 2\n") == 1
    assert "files True" in said


def test_those_who_are_left_go_on_without_a_node(data_folder: Path, tmp_path: Path) -> None:
    said = run("remove", data_folder, tmp_path)
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 60 by 1\n") == 1
    assert "files True" in said


def test_a_training_that_diverges_ends_with_its_reason(data_folder: Path, tmp_path: Path) -> None:
    said = run("diverge", data_folder, tmp_path)
    assert "failed: the codec's training failed: the loss is" in said
    assert "files False" in said
