"""Nodes of the stage tree on disk: trained where they are missing, resumed where they are half done, shared by runs."""

import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import BaseFileLock, Timeout

from datagen import dataset
from datagen.dataset import TextImages
from datagen.files import atomic, file_lock, forget_partials
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.recognizers.base import FrozenRecognizer
from sweep import graceful_stop
from sweep.errors import DamagedError, SweepError
from sweep.stages import checkpoint_file
from sweep.stages.checkpointer import FileCheckpointer
from sweep.stages.tree import Node, Origins
from sweep.training.checkpoint import Mishaps
from sweep.training.loop import Progress, train_stage
from sweep.training.objectives import objective_of
from sweep.training.team import ALONE, Team

AnyCodec = TypeVar("AnyCodec", Codec, ConditionedCodec, Codec | ConditionedCodec)
MISHAPS = "mishaps"
"""In a node's description, what went wrong in its training."""
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
        return cls(run / "checkpoints", save_seconds, run.parent / SHARED, graceful_stop.stop_file(run))

    def path(self, node: Node) -> Path:
        """Final weights of a node."""
        return self._file(node.key)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.pt"

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
        if (found := self.found(node)) is not None:
            return found.to(device)
        if node.parent is None:
            codec = node.start().to(device)
        else:
            codec = self.codec(node.parent, data, recognizer, device, report, team)
        if isinstance(codec, ConditionedCodec):
            codec = codec.over(node.plane) if node.plane else codec.fold(node.stage.rate_weight, node.stage.ocr_weight)
        mishaps = Mishaps()
        if node.stage.steps:

            def told(progress: Progress) -> None:
                report(progress)
                watch(progress, codec)

            mishaps = self._train(node, codec, data, recognizer, told, team)
        if team.rank == 0:
            self._save(node, codec, mishaps)
            self.forget(node)
        return codec

    def knows(self, node: Node) -> bool:
        """Whether this run or one beside it has trained the node."""
        name = self.path(node).name
        return any((place / name).exists() for place in (self.folder, self.shared) if place is not None)

    def holds(self, node: Node) -> bool:
        """Whether its weights are here; those that another run has trained are taken over."""
        return self.has(node.key)

    def has(self, key: str) -> bool:
        """The same by a node's key.

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

    def found(self, node: Node) -> Codec | ConditionedCodec | None:
        """A finished node's codec, in evaluation mode on the CPU; None where it is not trained.

        A damaged file is set aside, and what another run has trained takes its place.

        Raises:
            SweepError: its file cannot be read, or holds the weights of another network.
        """
        return self._found(node.key, node.build)

    def plain(self, codec: str, key: str) -> Codec | None:
        """The same of a plain codec, by its name and the key of its node."""
        return self._found(key, lambda: codecs.build(codec))

    def _found(self, key: str, build: Callable[[], AnyCodec]) -> AnyCodec | None:
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

    def sift(self) -> None:
        """Sets aside all that is damaged here, half-done stages included, before anybody counts on it."""
        for path in sorted(self.folder.glob("*.pt")):
            checkpoint_file.kept(path)

    def _save(self, node: Node, codec: Codec | ConditionedCodec, mishaps: Mishaps) -> None:
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
        """Removes what is half done of it, and what killed workers left half-written."""
        self._checkpointer(node).forget()
        # Nobody else writes to them, whatever the clocks of other machines say.
        forget_partials(self.folder, f"{node.key}.*", seconds=-math.inf)

    def _train(
        self,
        node: Node,
        codec: Codec | ConditionedCodec,
        data: TextImages,
        recognizer: FrozenRecognizer,
        report: Callable[[Progress], None],
        team: Team,
    ) -> Mishaps:
        among = data.legible if node.recognizer else None
        device = next(codec.parameters()).device
        return train_stage(
            codec,
            objective_of(node.stage, node.plane, recognizer if node.recognizer else None),
            lambda start: dataset.batches(data, node.stage.batch_size, node.seed, start, among, device),
            node.stage,
            seed=node.seed,
            team=team,
            report=report,
            checkpointer=self._checkpointer(node),
        )

    def _checkpointer(self, node: Node) -> FileCheckpointer:
        return FileCheckpointer(self.folder / f"{node.key}.partial.pt", self.save_seconds, self.stop)

    @contextmanager
    def claimed(self, nodes: Iterable[Node], wait: Callable[[], None]) -> Iterator[None]:
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
