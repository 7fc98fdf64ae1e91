"""A stage on two workers, of which something happens to one: python train_together.py DATA RUN TASK"""

import atexit
import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import ray
from ray.cluster_utils import Cluster

from datagen import dataset, generate
from datagen.shards import Manifest
from sweep import graceful_stop, presets
from sweep.cluster.place import Place
from sweep.cluster.trainer import train_together
from sweep.config import StageConfig, override
from sweep.errors import SweepError
from sweep.stages import tree
from sweep.training.loop import Progress
from sweep.trials.trial import Data

data_folder, folder, task = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3]
(folder / "checkpoints").mkdir(parents=True)
steps, rate = 120 if task == "interrupt" else 60, 1e30 if task == "diverge" else 1e-3
stage = StageConfig(steps=steps, batch_size=4, learning_rate=rate)
config = override(
    presets.smoke(), data=Manifest.load(data_folder).spec, stage1=stage, report_seconds=0.0, save_seconds=0.0
)
node = tree.conditioned1(config)
lost: list[str] = []


def kill_a_worker() -> None:
    processes = psutil.Process().children(recursive=True)
    workers = [process for process in processes if any("RayTrainWorker" in part for part in process.cmdline())]
    os.kill(workers[-1].pid, signal.SIGKILL)


losses: dict[str, Callable[[], object]] = {
    "kill": kill_a_worker,
    "interrupt": lambda: graceful_stop.request_stop(folder),
}
if task == "remove":
    # A fifth of what a user waits for a node that may come back.
    os.environ["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] = "12"
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = nodes.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = str(nodes.address)
    losses["remove"] = functools.partial(nodes.remove_node, second, allow_graceful=False)
    atexit.register(nodes.shutdown)


def report(progress: Progress) -> None:
    print("step", progress.step, "by", progress.workers, flush=True)
    if task in losses and progress.step >= 20 and not lost:
        lost.append(task)
        losses[task]()


with generate.ray_session(2):
    data = ray.put(Data(*(dataset.load(data_folder, split) for split in ("train", "val", "test"))))
    try:
        train_together(node, config, Place.of(folder), data, 2, report)
    except SweepError as error:
        print("failed:", error)
    except KeyboardInterrupt:
        print("interrupted", (folder / "checkpoints" / f"{node.key}.partial.pt").exists())
        graceful_stop.stop_file(folder).unlink()
        train_together(node, config, Place.of(folder), data, 2, report)
files = sorted(path.name for path in (folder / "checkpoints").iterdir())
print("files", files == [f"{node.key}.json", f"{node.key}.pt"])
