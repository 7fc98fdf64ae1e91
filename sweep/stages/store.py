"""Nodes of the stage tree on disk: finished or half done, checked when they are read, shared by runs."""

import json
import math
import os
import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import BaseFileLock, Timeout

from datagen.files import atomic, file_lock, forget_partials
from sweep import graceful_stop
from sweep.errors import SweepError
from sweep.stages import checkpoint_file
from sweep.stages.checkpointer import FileCheckpointer
from sweep.stages.nodes import FOLDER, NodeStore
from sweep.stages.tree import Node

SHARED = "store"
"""Folder beside the runs that keeps what any of them has trained."""


@dataclass(frozen=True)
class Store(NodeStore):
    """A run's nodes in files."""

    folder: Path
    save_seconds: float = 60.0
    shared: Path | None = None
    """What all runs beside this one have trained. Files there and here are one file with two names."""
    stop: Path | None = None
    """A file that asks training to save its state and end."""

    @classmethod
    def of(cls, run: Path, save_seconds: float = 60.0) -> "Store":
        """The store of a run's folder."""
        return cls(run / FOLDER, save_seconds, run.parent / SHARED, graceful_stop.stop_file(run))

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.folder.parent

    def path(self, node: Node) -> Path:
        """Final weights of a node."""
        return self._file(node.key)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.pt"

    def knows(self, node: Node) -> bool:
        """Whether this run or one beside it has trained the node."""
        name = self.path(node).name
        return any((place / name).exists() for place in (self.folder, self.shared) if place is not None)

    def holds(self, node: Node) -> bool:
        """Whether the node's weights are here; as `has`."""
        return self.has(node.key)

    def has(self, key: str) -> bool:
        """Whether weights are here under a key; those that another run has trained are taken over.

        Raises:
            SweepError: what another run has trained cannot be read, or not be taken over.
        """
        path = self._file(key)
        shared = None if self.shared is None or path.exists() else self.shared / path.name
        if shared is not None and shared.exists() and checkpoint_file.kept(shared):
            for file in (shared.with_suffix(".json"), shared):
                if file.exists():
                    _link(file, self.folder / file.name)
        return path.exists()

    def weights(self, key: str) -> dict[str, Any] | None:
        """As `NodeStore.weights`."""
        path = self.whole(key)
        return None if path is None else checkpoint_file.load(path)

    def whole(self, key: str) -> Path | None:
        """The file of weights that are whole; a damaged one is set aside, and another run's takes its place.

        Raises:
            SweepError: it cannot be read.
        """
        while self.has(key):
            if checkpoint_file.kept(self._file(key)):
                return self._file(key)
        return None

    def described(self, key: str) -> dict[str, Any]:
        """What the file beside the weights says."""
        try:
            return json.loads(self._file(key).with_suffix(".json").read_text())
        except (OSError, ValueError):
            return {}

    def set_damaged_aside(self) -> None:
        """Sets aside all that is damaged here, half-done stages included, before anybody counts on it."""
        for path in sorted(self.folder.glob("*.pt")):
            checkpoint_file.kept(path)

    def keep(self, key: str, description: dict[str, Any], weights: dict[str, Any]) -> None:
        """Keeps a trained node, here and for the runs beside this one."""
        self.write(key, description, lambda partial: torch.save(weights, partial))

    def write(self, key: str, description: dict[str, Any], weights: Callable[[Path], object]) -> None:
        """Has the weights of a trained node written to a path, and keeps them."""
        path = self._file(key)
        with atomic(path.with_suffix(".json")) as partial:
            partial.write_text(json.dumps(description, indent=2) + "\n")
        with atomic(path) as partial:
            weights(partial)
        if self.shared is not None:
            for file in (path.with_suffix(".json"), path):
                _link(file, self._place / file.name)

    def forget(self, key: str) -> None:
        """Removes what is half done of a node, and what killed workers left half-written of it."""
        self.checkpointer(key).forget()
        # Nobody else writes to them, whatever the clocks of other machines say.
        forget_partials(self.folder, f"{key}.*", seconds=-math.inf)

    def checkpointer(self, key: str) -> FileCheckpointer:
        """Keeps the states of a node's training while it is under way."""
        return FileCheckpointer(self.folder / f"{key}.partial.pt", self.save_seconds, self.stop)

    @contextmanager
    def claimed(self, nodes: Iterable[Node], wait: Callable[[], None]) -> Generator[None]:
        """In the block, no other sweep of this store trains the nodes; one that dies lets go of them.

        Args:
            wait: called each second while another one does.
        """
        with ExitStack() as held:
            for key in sorted(node.key for node in nodes if not self.holds(node)):
                lock = file_lock(self._place / f"{key}.lock")
                _acquire(lock, wait)
                held.callback(lock.release)
            yield

    @property
    def _place(self) -> Path:
        place = self.shared or self.folder
        place.mkdir(exist_ok=True)
        return place


def _acquire(lock: BaseFileLock, wait: Callable[[], None]) -> None:
    while not lock.is_locked:
        try:
            lock.acquire(timeout=1.0)
        except Timeout:
            wait()


def _link(source: Path, target: Path) -> None:
    """Gives a file a second name; where the file system knows none, a copy."""
    try:
        with atomic(target) as partial:
            try:
                os.link(source, partial)
            except OSError:
                shutil.copyfile(source, partial)
    except OSError as error:
        raise SweepError(f"{target} cannot be written ({error.strerror}); the run needs it") from error
