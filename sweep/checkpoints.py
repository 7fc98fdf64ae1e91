"""Nodes of the stage tree on disk: trained where they are missing, resumed where they are half done, shared by runs."""

import json
import math
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from filelock import BaseFileLock, FileLock, Timeout
from torch import nn

from datagen import dataset
from datagen.dataset import TextImages
from datagen.shards import atomic, forget_partials
from models import codecs
from models.base import Codec
from models.conditioning import ConditionedCodec
from models.reading import FrozenRecognizer
from sweep import interruption
from sweep.errors import SweepError
from sweep.keeper import FileKeeper
from sweep.objectives import objective_of
from sweep.stages import Node
from sweep.training import ALONE, Progress, Team, train_stage

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
        """That of a run's folder."""
        return cls(run / "checkpoints", save_seconds, run.parent / SHARED, interruption.sign(run))

    def path(self, node: Node) -> Path:
        """Final weights of a node."""
        return self.folder / f"{node.key}.pt"

    def codec(
        self,
        node: Node,
        data: TextImages,
        recognizer: FrozenRecognizer,
        device: torch.device,
        report: Callable[[Progress], None] = lambda progress: None,
        team: Team = ALONE,
        watch: Callable[[Progress, Codec | ConditionedCodec], None] = lambda progress, codec: None,
    ) -> Codec | ConditionedCodec:
        """The node's codec in evaluation mode; trains what the store lacks of it and its ancestors.

        Args:
            report: told how the training goes, whichever node's it is.
            watch: told the same of the node itself, with its codec.

        Raises:
            DivergedError: its training loss is not finite.
            Interrupted: it was asked to end; what it has done is saved.
            WeightsError: as `Node.start`.
        """
        if self.holds(node):
            return self.load(node).to(device)
        if node.parent is None:
            codec = node.start().to(device)
        else:
            codec = self.codec(node.parent, data, recognizer, device, report, team)
        if isinstance(codec, ConditionedCodec):
            codec = codec.over(node.plane) if node.plane else codec.fold(node.stage.rate_weight, node.stage.ocr_weight)
        if node.stage.steps:

            def told(progress: Progress) -> None:
                report(progress)
                watch(progress, codec)

            self._train(node, codec, data, recognizer, told, team)
        if team.rank == 0:
            self._save(node, codec)
            self.forget(node)
        return codec

    def knows(self, node: Node) -> bool:
        """Whether this run or one beside it has trained the node."""
        name = self.path(node).name
        return any((place / name).exists() for place in (self.folder, self.shared) if place is not None)

    def holds(self, node: Node) -> bool:
        """Whether its weights are here; those that another run has trained are taken over."""
        path = self.path(node)
        if self.shared is not None and not path.exists() and (self.shared / path.name).exists():
            for name in (path.with_suffix(".json").name, path.name):
                _link(self.shared / name, self.folder / name)
        return path.exists()

    def _save(self, node: Node, codec: Codec | ConditionedCodec) -> None:
        path = self.path(node)
        description = path.with_suffix(".json")
        with atomic(description) as partial:
            partial.write_text(json.dumps(asdict(node), indent=2) + "\n")
        with atomic(path) as partial:
            torch.save(codec.state_dict(), partial)
        if self.shared is not None:
            for file in (description, path):
                _link(file, self._place / file.name)

    def forget(self, node: Node) -> None:
        """Removes what is half done of it, and what killed workers left half-written."""
        self._keeper(node).forget()
        # Nobody else writes to them, whatever the clocks of other machines say.
        forget_partials(self.folder, f"{node.key}.*", seconds=-math.inf)

    def load(self, node: Node) -> Codec | ConditionedCodec:
        """A finished node's codec, in evaluation mode on the CPU.

        Raises:
            SweepError: its file is missing or damaged.
        """
        codec = node.build()
        try:
            _load(codec, self.path(node))
        except SweepError:
            if self.shared is not None:
                (self.shared / self.path(node).name).unlink(missing_ok=True)
            raise
        return codec

    def _train(
        self,
        node: Node,
        codec: Codec | ConditionedCodec,
        data: TextImages,
        recognizer: FrozenRecognizer,
        report: Callable[[Progress], None],
        team: Team,
    ) -> None:
        among = data.legible if node.recognizer else None
        device = next(codec.parameters()).device
        train_stage(
            codec,
            objective_of(node.stage, node.plane, recognizer if node.recognizer else None),
            lambda start: dataset.batches(data, node.stage.batch_size, node.seed, start, among, device),
            node.stage,
            seed=node.seed,
            team=team,
            report=report,
            keeper=self._keeper(node),
        )

    def _keeper(self, node: Node) -> FileKeeper:
        return FileKeeper(self.folder / f"{node.key}.partial.pt", self.save_seconds, self.stop)

    @contextmanager
    def claimed(self, nodes: Iterable[Node], wait: Callable[[], None]) -> Iterator[None]:
        """In the block, no other sweep of this store trains the nodes; one that dies lets go of them.

        Args:
            wait: called each second while another one does.
        """
        with ExitStack() as held:
            for key in sorted(node.key for node in nodes if not self.holds(node)):
                lock = FileLock(self._place / f"{key}.lock")
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
    with atomic(target) as partial:
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)


def load_codec(name: str, path: Path) -> Codec:
    """A plain codec with the weights of a store's file, in evaluation mode on the CPU.

    Raises:
        SweepError: the file is missing or damaged.
    """
    codec = codecs.build(name)
    _load(codec, path)
    return codec


def _load(codec: nn.Module, path: Path) -> None:
    try:
        codec.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        # torch's own reasons run over many lines.
        raise SweepError(f"{path} is missing or damaged; delete it and resume the run to train it again") from None
    codec.eval()
