"""One stage trained by all workers of the cluster together; the only place that knows Ray Train."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray
import torch
from ray import train
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, get_device
from ray.util.queue import Queue
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from models import teachers
from sweep.checkpoints import Store
from sweep.config import SweepConfig
from sweep.errors import DivergedError, SweepError
from sweep.stages import Node
from sweep.training import Progress, Team, every

FAILURES = 3
"""Workers that may die before a stage is given up; each time it goes on from its last checkpoint."""
DONE = None
"""Ends the queue of progress."""


@dataclass(frozen=True)
class _Job:
    node: Node
    config: SweepConfig
    folder: Path
    data: ray.ObjectRef
    progress: Queue


def train_together(
    node: Node, config: SweepConfig, folder: Path, data: ray.ObjectRef, workers: int, report: Callable[[Progress], None]
) -> None:
    """Trains what the run's store lacks of a node, data-parallel where there are several workers.

    Args:
        config: what each worker takes, as `cluster.team` says.
        data: the splits, as `trial.Data`, in Ray's object store.
        report: called in this process, in a thread.

    Raises:
        SweepError: the training diverged, or failed once too often.
    """
    if Store.of(folder).holds(node):
        return
    with _relayed(report) as progress, _interruptible():
        trainer = TorchTrainer(
            _work,
            train_loop_config={"job": _Job(node, config, folder, data, progress)},
            scaling_config=ScalingConfig(
                num_workers=min(workers, node.stage.batch_size),
                use_gpu=config.gpus_per_trial > 0,
                resources_per_worker={"CPU": config.cpus_per_trial, "GPU": config.gpus_per_trial},
            ),
            run_config=RunConfig(
                name=f"train-{node.key}",
                storage_path=str(folder / "tune"),
                failure_config=FailureConfig(max_failures=FAILURES),
            ),
        )
        try:
            trainer.fit()
        except train.TrainingFailedError as error:
            raise SweepError(f"the codec's training failed: {_last_line(error)}") from None


@contextmanager
def _relayed(report: Callable[[Progress], None]) -> Iterator[Queue]:
    """A queue whose entries reach `report` while the block runs; the reason of a divergence is raised after it."""
    queue = Queue(actor_options={"num_cpus": 0})
    diverged: list[DivergedError] = []

    def relay() -> None:
        while (said := queue.get()) is not DONE:
            diverged.append(said) if isinstance(said, DivergedError) else report(said)

    thread = threading.Thread(target=relay, daemon=True)
    thread.start()
    try:
        yield queue
    finally:
        queue.put(DONE)
        thread.join()
        queue.shutdown()
    if diverged:
        raise SweepError(f"the codec's training failed: {diverged[0]}")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Keeps what Ctrl-C does: Ray Train takes it over, for good, and answers it by ending the process."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, handler)


def _work(settings: dict) -> None:
    """What each worker executes."""
    job: _Job = settings["job"]
    context, device = train.get_context(), get_device()
    torch.set_num_threads(job.config.cpus_per_trial)
    team = Team(context.get_world_rank(), context.get_world_size(), _join)
    recognizer = teachers.load(job.config.recognizers).to(device)
    store = Store.of(job.folder, job.config.save_seconds)
    report = every(job.config.report_seconds, job.progress.put) if team.rank == 0 else lambda progress: None
    try:
        store.codec(job.node, ray.get(job.data).train, recognizer, device, report, team)
    except DivergedError as error:
        # All members see it at the same step. It would come again: no failure for Ray to retry.
        if team.rank == 0:
            job.progress.put(error)


def _join(network: nn.Module) -> nn.Module:
    if train.get_context().get_world_size() == 1:
        return network
    return DistributedDataParallel(network, broadcast_buffers=False)


def _last_line(error: train.TrainingFailedError) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else "a worker died"
