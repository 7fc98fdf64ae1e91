"""One stage trained by all workers of the cluster together."""

import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from ray.util.queue import Empty, Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweep import graceful_stop
from sweep.cluster import out_of_memory
from sweep.cluster.member import Job, News, Timed, work
from sweep.cluster.place import Place
from sweep.config import SweepConfig
from sweep.errors import DivergedError, Interrupted, SweepError
from sweep.stages.store import Store
from sweep.stages.tree import Node
from sweep.training.loop import Progress
from sweep.trials.trial import Data

ENDING_SECONDS = 30.0
"""Seconds that workers may take to end when they are asked to."""
FAILURES = 3
"""Workers that may die before a stage is given up; each time it goes on from its last checkpoint."""


def train_together(
    node: Node,
    config: SweepConfig,
    place: Place,
    data: ray.ObjectRef[Data],
    workers: int,
    report: Callable[[Progress], None],
) -> None:
    """Trains what the run's store lacks of a node, data-parallel where there are several workers.

    Args:
        config: what each worker takes, as `resources.team` says.
        place: the run's folder.
        workers: the most of them.
        data: the splits, as `trial.Data`, in Ray's object store.

    Raises:
        SweepError: the training diverged, or failed once too often.
        KeyboardInterrupt: it was asked to end, and its state is saved.
    """
    if Store.of(place.folder).load(node) is None:
        _carry_out(Job([node], config, place, data, _queue()), workers, report, lambda timed: None)


def time_together(
    nodes: list[Node], config: SweepConfig, place: Place, data: ray.ObjectRef[Data], workers: int, seconds: float
) -> list[Timed]:
    """How long a step of each node takes the workers that `train_together` would train it with; nothing is kept.

    Args:
        seconds: time in which the steps of each node are timed.

    Raises:
        SweepError, KeyboardInterrupt: as `train_together`.
    """
    found = list[Timed]()
    _carry_out(Job(nodes, config, place, data, _queue(), seconds), workers, lambda progress: None, found.append)
    # A worker that died began again.
    return found[-len(nodes) :]


def _carry_out(job: Job, workers: int, report: Callable[[Progress], None], timed: Callable[[Timed], None]) -> None:
    """Has the workers do a job, and passes on what the first of them tells."""
    # In the main thread, Ray Train would take Ctrl-C over, for good.
    fitting = _Aside(_trainer(job, workers).fit)
    try:
        under_way = True
        while under_way:
            under_way = fitting.is_alive()
            while (said := _next(job.news)) is not None:
                _heed(said, report, timed)
    finally:
        _end(fitting, job.place.folder)
        job.news.shutdown()
    if fitting.error is not None:
        raise SweepError(f"the codec's training failed: {_reason(str(fitting.error).strip())}") from fitting.error


def _queue() -> Queue:
    """On this machine, which outlives the others."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})


def _trainer(job: Job, workers: int) -> TorchTrainer:
    """Trains with as many workers as there are places for: a node that dies or arrives late changes that."""
    config = job.config
    return TorchTrainer(
        work,
        # A reference, for Ray Train's controller would import all of ours as well.
        train_loop_config={"job": ray.put(job)},  # pyright: ignore[reportUnknownMemberType]
        scaling_config=ScalingConfig(
            num_workers=(1, min(workers, *(node.stage.batch_size for node in job.nodes))),
            use_gpu=config.resources.gpus_per_trial > 0,
            resources_per_worker={"CPU": config.resources.cpus_per_trial, "GPU": config.resources.gpus_per_trial},
        ),
        run_config=RunConfig(
            name=f"{'train' if job.seconds is None else 'time'}-{job.nodes[-1].key}",
            storage_path=str(job.place.folder / "tune"),
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


def _heed(said: News, report: Callable[[Progress], None], timed: Callable[[Timed], None]) -> None:
    match said:
        case Progress():
            report(said)
        case Timed():
            timed(said)
        case DivergedError():
            raise SweepError(f"the codec's training failed: {said}") from said
        case Interrupted():
            raise KeyboardInterrupt


def _reason(said: str) -> str:
    """Why a training failed, in a line, by all that Ray Train says of it."""
    return out_of_memory.reason(said) or said.rpartition("\n")[2] or "a worker died"
