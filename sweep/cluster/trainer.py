"""One stage trained by all workers of the cluster together; the only place that knows Ray Train."""

import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ray
import torch
from ray import train
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, get_device
from ray.util.queue import Empty, Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from models.recognizers import ensemble
from sweep import graceful_stop
from sweep.cluster import out_of_memory
from sweep.config import SweepConfig
from sweep.errors import DivergedError, Interrupted, SweepError
from sweep.stages.store import Store
from sweep.stages.train import train_node
from sweep.stages.tree import Node
from sweep.training.loop import Progress, every
from sweep.training.team import ALONE, Team
from sweep.trials.trial import Data

News = Progress | DivergedError | Interrupted
"""What the first worker tells the driver."""
ENDING_SECONDS = 30.0
"""Seconds that workers may take to end when they are asked to."""
FAILURES = 3
"""Workers that may die before a stage is given up; each time it goes on from its last checkpoint."""


@dataclass(frozen=True)
class _Job:
    node: Node
    config: SweepConfig
    folder: Path
    data: ray.ObjectRef[Data]
    news: Queue

    def tell(self, said: News) -> None:
        """Sends bytes, for the queue's process would import all of ours to hold an object."""
        self.news.put(pickle.dumps(said))


def train_together(
    node: Node,
    config: SweepConfig,
    folder: Path,
    data: ray.ObjectRef[Data],
    workers: int,
    report: Callable[[Progress], None],
) -> None:
    """Trains what the run's store lacks of a node, data-parallel where there are several workers.

    Args:
        config: what each worker takes, as `resources.team` says.
        workers: the most of them.
        data: the splits, as `trial.Data`, in Ray's object store.

    Raises:
        SweepError: the training diverged, or failed once too often.
        KeyboardInterrupt: it was asked to end, and its state is saved.
    """
    if Store.of(folder).load(node) is not None:
        return
    news = _queue()
    # In the main thread, Ray Train would take Ctrl-C over, for good.
    fitting = _Aside(_trainer(_Job(node, config, folder, data, news), workers).fit)
    try:
        under_way = True
        while under_way:
            under_way = fitting.is_alive()
            while (said := _next(news)) is not None:
                _heed(said, report)
    finally:
        _end(fitting, folder)
        news.shutdown()
    if fitting.error is not None:
        raise SweepError(f"the codec's training failed: {_reason(str(fitting.error).strip())}") from fitting.error


def _queue() -> Queue:
    """On this machine, which outlives the others."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})


def _trainer(job: _Job, workers: int) -> TorchTrainer:
    """Trains with as many workers as there are places for: a node that dies or arrives late changes that."""
    config = job.config
    return TorchTrainer(
        _work,
        # A reference, for Ray Train's controller would import all of ours as well.
        train_loop_config={"job": ray.put(job)},  # pyright: ignore[reportUnknownMemberType]
        scaling_config=ScalingConfig(
            num_workers=(1, min(workers, job.node.stage.batch_size)),
            use_gpu=config.resources.gpus_per_trial > 0,
            resources_per_worker={"CPU": config.resources.cpus_per_trial, "GPU": config.resources.gpus_per_trial},
        ),
        run_config=RunConfig(
            name=f"train-{job.node.key}",
            storage_path=str(job.folder / "tune"),
            failure_config=FailureConfig(max_failures=FAILURES),
        ),
    )


class _Aside(threading.Thread):
    """Work in a thread that a program does not wait for when it ends."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.error = error


def _end(fitting: _Aside, folder: Path) -> None:
    """Has what is still under way end: shut down while a thread waits for it, Ray takes the process along."""
    if fitting.is_alive():
        graceful_stop.request_stop(folder)
        fitting.join(ENDING_SECONDS)


def _next(news: Queue) -> News | None:
    try:
        return pickle.loads(news.get(timeout=1.0))
    except Empty:
        return None


def _heed(said: News, report: Callable[[Progress], None]) -> None:
    match said:
        case Progress():
            report(said)
        case DivergedError():
            raise SweepError(f"the codec's training failed: {said}") from said
        case Interrupted():
            raise KeyboardInterrupt


def _work(settings: dict[str, ray.ObjectRef[_Job]]) -> None:
    """What each worker executes."""
    job: _Job = ray.get(settings["job"])
    context, device = train.get_context(), get_device()
    torch.set_num_threads(job.config.resources.cpus_per_trial)
    rank, size = context.get_world_rank(), context.get_world_size()
    # Alone, there is nobody to agree with; a GPU would be waited for at every step.
    team = Team(rank, size, _join, _any) if size > 1 else ALONE
    recognizer = ensemble.load(job.config.recognizers).to(device)
    store = Store.of(job.folder, job.config.resources.save_seconds)
    report = every(job.config.resources.report_seconds, job.tell) if team.rank == 0 else _say_nothing
    try:
        train_node(job.node, store, ray.get(job.data).train, recognizer, device, report, team)
    except (DivergedError, Interrupted) as error:
        # No failure for Ray to retry. All members leave at the same step; the first one has saved for all.
        if team.rank == 0:
            job.tell(error)


def _say_nothing(progress: Progress) -> None:
    del progress


def _join(network: nn.Module) -> nn.Module:
    return DistributedDataParallel(network, broadcast_buffers=False)


def _any(mine: bool) -> bool:
    found = torch.tensor(float(mine), device=get_device())
    distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return bool(found)


def _reason(said: str) -> str:
    """Why a training failed, in a line, by all that Ray Train says of it."""
    return out_of_memory.reason(said) or said.rpartition("\n")[2] or "a worker died"
