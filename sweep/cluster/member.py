"""What each worker does of a stage that all train together. Ray Train's door, with `trainer`."""

import pickle
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import ray
import torch
from ray import train
from ray.train.torch import get_device
from ray.util.queue import Queue
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from models.recognizers import ensemble
from models.recognizers.base import FrozenRecognizer
from sweep.cluster.place import Place
from sweep.config import SweepConfig
from sweep.errors import DivergedError, Interrupted
from sweep.stages.pace import step_seconds
from sweep.stages.train import train_node
from sweep.stages.tree import Node
from sweep.training.loop import Progress, every
from sweep.training.team import ALONE, Team
from sweep.trials.trial import Data


class Timed(NamedTuple):
    """What a few steps of a training tell."""

    step: float
    """Seconds of a step."""
    total: float
    """Seconds in which that was found out."""


News = Progress | Timed | DivergedError | Interrupted
"""What the first worker tells the driver."""


@dataclass(frozen=True)
class Job:
    """Nodes that all workers train together, or whose steps they time."""

    nodes: list[Node]
    """Trained one after the other."""
    config: SweepConfig
    place: Place
    data: ray.ObjectRef[Data]
    news: Queue
    seconds: float | None = None
    """Time in which the steps of each node are timed; None: the nodes are trained, and kept in the store."""

    def tell(self, said: News) -> None:
        """Sends bytes, for the queue's process would import all of ours to hold an object."""
        self.news.put(pickle.dumps(said))


def work(settings: dict[str, ray.ObjectRef[Job]]) -> None:
    """What each worker executes."""
    job: Job = ray.get(settings["job"])
    context, device = train.get_context(), get_device()
    torch.set_num_threads(job.config.resources.cpus_per_trial)
    rank, size = context.get_world_rank(), context.get_world_size()
    # Alone, there is nobody to agree with; a GPU would be waited for at every step.
    team = Team(rank, size, _join, _any, _from_first) if size > 1 else ALONE
    recognizer = ensemble.load(job.config.recognizers).to(device)
    carry_out = _train if job.seconds is None else _time
    try:
        for node in job.nodes:
            carry_out(job, node, recognizer, device, team)
    except (DivergedError, Interrupted) as error:
        # No failure for Ray to retry. All members leave at the same step; the first one has saved for all.
        if team.rank == 0:
            job.tell(error)


def _train(job: Job, node: Node, recognizer: FrozenRecognizer, device: torch.device, team: Team) -> None:
    store = job.place.store(job.config.resources.save_seconds)
    report = every(job.config.resources.report_seconds, job.tell) if team.rank == 0 else _say_nothing
    train_node(node, store, ray.get(job.data).train, recognizer, device, report, team)


def _time(job: Job, node: Node, recognizer: FrozenRecognizer, device: torch.device, team: Team) -> None:
    began = time.perf_counter()
    step = step_seconds(node, ray.get(job.data).train, recognizer, device, job.seconds or 0.0, team)
    if team.rank == 0:
        job.tell(Timed(step, time.perf_counter() - began))


def _say_nothing(progress: Progress) -> None:
    del progress


def _join(network: nn.Module) -> nn.Module:
    return DistributedDataParallel(network, broadcast_buffers=False)


def _any(mine: bool) -> bool:
    found = torch.tensor(float(mine), device=get_device())
    distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return bool(found)


def _from_first(mine: Any) -> Any:
    found = [mine]
    distributed.broadcast_object_list(found, device=get_device())
    return found[0]
