"""Nodes of the stage tree on disk: finished or half done, checked when they are read, shared by runs."""

import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import BaseFileLock, Timeout

from datagen.files import atomic, file_lock, forget_partials
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from sweep import graceful_stop
from sweep.errors import DamagedError, SweepError
from sweep.stages import checkpoint_file
from sweep.stages.checkpointer import FileCheckpointer
from sweep.stages.tree import Node, Origins
from sweep.training.checkpoint import Mishaps

AnyCodec = TypeVar("AnyCodec", Codec, ConditionedCodec, Codec | ConditionedCodec)
MISHAPS = "mishaps"
"""In a node's description, what went wrong in its training."""
LATE_SECONDS = 60.0
"""How long a file may not show on a machine that another one has written: so long NFS remembers a folder at most."""
GLANCE_SECONDS = 1.0
"""Between two looks for it."""
SHARED = "store"
"""Folder beside the runs that keeps what any of them has trained."""


@dataclass(frozen=True)
class Store:
    """A run's nodes; a cluster's workers share it by path."""

    folder: Path
    save_seconds: float = 60.0
    shared: Path | None = None
    """What all runs beside this one have trained. Files there and here are one file with two names."""
    stop: Path | None = None
    """A file that asks training to save its state and end."""

    @classmethod
    def of(cls, run: Path, save_seconds: float = 60.0) -> "Store":
        """The store of a run's folder."""
        return cls(run / "checkpoints", save_seconds, run.parent / SHARED, graceful_stop.stop_file(run))

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

    def load(self, node: Node) -> Codec | ConditionedCodec | None:
        """The codec of a finished node, in evaluation mode on the CPU; None where it is not trained.

        A damaged file is set aside, and what another run has trained takes its place.

        Raises:
            SweepError: its file cannot be read, or holds the weights of another network.
        """
        return self._load(node.key, node.build)

    def awaited(self, node: Node) -> Codec | ConditionedCodec:
        """The codec of a node that other machines have trained; as `load`.

        Raises:
            SweepError: it does not show here, in the time that a network's file system may take for it.
        """
        late = time.monotonic() + LATE_SECONDS
        while (found := self.load(node)) is None:
            if time.monotonic() > late:
                raise SweepError(
                    f"{self.path(node)}, which is {node.title} of all points, does not show on {platform.node()}; "
                    "let every machine see the run's folder under one path (python -m sweep.doctor checks that), then "
                    "give --resume, which trains it again where it is lost"
                )
            time.sleep(GLANCE_SECONDS)
        return found

    def load_plain(self, codec: str, key: str) -> Codec | None:
        """The codec of a point, by the codec's name and the key of its node; as `load`."""
        return self._load(key, lambda: codecs.build(codec))

    def _load(self, key: str, build: Callable[[], AnyCodec]) -> AnyCodec | None:
        while self.has(key):
            try:
                return _filled(build(), self._file(key))
            except DamagedError:
                checkpoint_file.set_aside(self._file(key))
        return None

    def origins(self, key: str) -> Origins:
        """The trials that a point's stage 2 went on from, as its description has them; none where that is lost."""
        node = self._described(key)
        found: list[tuple[float, float]] = []
        while (node := node.get("parent")) is not None:
            if node["recognizer"] and not node["plane"]:
                found.append((node["stage"]["rate_weight"], node["stage"]["ocr_weight"]))
        return tuple(reversed(found))

    def mishaps(self, node: Node) -> str:
        """What went wrong in the training of a finished node and of what it starts from; empty where nothing did."""
        path = (*reversed(node.ancestors), node)
        told = [(each.title, Mishaps(**self._described(each.key).get(MISHAPS, {}))) for each in path]
        return "; ".join(f"{title}: {mishaps}" for title, mishaps in told if any(mishaps))

    def _described(self, key: str) -> dict[str, Any]:
        """A node and how its training went, as they are kept beside its weights; empty where they are not."""
        try:
            return json.loads(self._file(key).with_suffix(".json").read_text())
        except (OSError, ValueError):
            return {}

    def set_damaged_aside(self) -> None:
        """Sets aside all that is damaged here, half-done stages included, before anybody counts on it."""
        for path in sorted(self.folder.glob("*.pt")):
            checkpoint_file.kept(path)

    def save(self, node: Node, codec: Codec | ConditionedCodec, mishaps: Mishaps) -> None:
        """Keeps the weights of a trained node, here and for the runs beside this one, with its description."""
        path = self.path(node)
        description = path.with_suffix(".json")
        with atomic(description) as partial:
            partial.write_text(json.dumps(asdict(node) | {MISHAPS: mishaps._asdict()}, indent=2) + "\n")
        with atomic(path) as partial:
            torch.save(codec.state_dict(), partial)
        if self.shared is not None:
            for file in (description, path):
                _link(file, self._place / file.name)

    def forget(self, node: Node) -> None:
        """Removes what is half done of a node, and what killed workers left half-written of it."""
        self.checkpointer(node).forget()
        # Nobody else writes to them, whatever the clocks of other machines say.
        forget_partials(self.folder, f"{node.key}.*", seconds=-math.inf)

    def checkpointer(self, node: Node) -> FileCheckpointer:
        """Keeps the states of the node's training while it is under way."""
        return FileCheckpointer(self.folder / f"{node.key}.partial.pt", self.save_seconds, self.stop)

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


def _filled(codec: AnyCodec, path: Path) -> AnyCodec:
    """The codec with the weights of a file."""
    try:
        codec.load_state_dict(checkpoint_file.load(path))
    # torch's own reasons run over many lines.
    except (RuntimeError, TypeError) as error:
        raise SweepError(
            f"{path} holds the weights of another network, as another version of this program built it; "
            "use that version, or start again beside other runs"
        ) from error
    return codec.eval()
