"""A run's folder as workers reach it: by path on the driver's machine, through the driver's Ray from any other.

Machines need no file system that they share.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from datagen.machines import planned, up
from sweep import graceful_stop
from sweep.cluster.remote_store import Files, Handle, RemoteStore, answer
from sweep.errors import SweepError
from sweep.stages.nodes import NodeStore
from sweep.stages.store import Store

AT_A_TIME = 16
"""Files that are read and written at a time."""


@dataclass(frozen=True)
class Place:
    """What a worker needs to know to reach a run's folder."""

    folder: Path
    """On the driver's machine."""
    machine: str
    """Ray's id of the driver's machine."""
    files: Handle | None
    """Serves the folder to other machines; None where there is no other machine."""

    @classmethod
    def of(cls, folder: Path) -> "Place":
        """The place of a folder on this machine, which serves others for as long as this process lives."""
        here = ray.get_runtime_context().get_node_id()
        return cls(folder.absolute(), here, _served(folder.absolute(), here) if _has_others() else None)

    @property
    def is_here(self) -> bool:
        """Whether this process runs on the machine that has the folder."""
        return ray.get_runtime_context().get_node_id() == self.machine

    def store(self, save_seconds: float) -> NodeStore:
        """The run's trained nodes, and the states of those in training, one every so often."""
        return (
            Store.of(self.folder, save_seconds) if self.is_here else RemoteStore(self._files, self.folder, save_seconds)
        )

    def stop_requested(self) -> bool:
        """Whether the run is asked to end."""
        if self.is_here:
            return graceful_stop.stop_file(self.folder).exists()
        return answer(self._files.stopped.remote())

    @property
    def _files(self) -> Handle:
        if self.files is None:
            raise SweepError("a machine has joined a sweep that had one alone; interrupt it, and --resume with both")
        return self.files


def _has_others() -> bool:
    """Whether workers may run on another machine than this one."""
    return len(up()) > 1 or bool(planned()) or "RAY_ADDRESS" in os.environ


def _served(folder: Path, here: str) -> Handle:
    actor: Any = ray.remote(Files)
    return actor.options(
        num_cpus=0,
        max_concurrency=AT_A_TIME,
        max_restarts=-1,
        max_task_retries=-1,
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
    ).remote(folder)
