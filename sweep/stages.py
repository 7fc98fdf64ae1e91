"""The stage tree: every piece of training is a node with a key, trained once and kept under it."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from datagen import dataset
from datagen.dataset import Batch, TextImages
from datagen.shards import atomic
from models import codecs
from models.codecs import Codec
from models.losses import LossTerms, LossWeights, objective
from models.recognizers import Recognizer
from sweep.config import StageConfig, SweepConfig
from sweep.training import Progress, TrainingState, train_stage


@dataclass(frozen=True)
class Node:
    """One stage of training, and all that its outcome depends on."""

    data: str
    """Digest of the data set."""
    codec: str
    recognizer: str | None
    """None in stage 1, which asks no recognizer."""
    stage: StageConfig
    seed: int
    parent: "Node | None" = None
    """Where its weights start; None: fresh ones."""

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal keys, equal weights."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def stage1(config: SweepConfig, rate_weight: float) -> Node:
    """Rate and distortion at one lambda; shared by all its trials (TFIC, section III-B)."""
    stage = replace(config.stage1, rate_weight=rate_weight)
    return Node(config.data.digest(), config.codec, None, stage, config.seed)


def stage2(config: SweepConfig, rate_weight: float, ocr_weight: float) -> Node:
    """Rate and OCR loss at one (lambda, beta), from the stage 1 of that lambda."""
    stage = replace(config.stage2, rate_weight=rate_weight, ocr_weight=ocr_weight)
    parent = stage1(config, rate_weight)
    return Node(parent.data, config.codec, config.recognizer, stage, config.seed, parent)


@dataclass(frozen=True)
class Store:
    """The nodes' weights on disk; a cluster's workers share it by path."""

    folder: Path
    save_seconds: float = 60.0

    def path(self, node: Node) -> Path:
        """Final weights of a node."""
        return self.folder / f"{node.key}.pt"

    def codec(
        self,
        node: Node,
        data: TextImages,
        recognizer: Recognizer,
        device: torch.device,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> Codec:
        """The node's codec in evaluation mode; trains what the store lacks of it and its ancestors.

        Raises:
            DivergedError: its training loss is not finite.
        """
        if self.path(node).exists():
            return load_codec(node.codec, self.path(node)).to(device)
        if node.parent is None:
            torch.manual_seed(node.seed)
            codec = codecs.build(node.codec).to(device)
        else:
            codec = self.codec(node.parent, data, recognizer, device, report)
        self._train(node, codec, data, recognizer, report)
        return codec

    def _train(
        self,
        node: Node,
        codec: Codec,
        data: TextImages,
        recognizer: Recognizer,
        report: Callable[[Progress], None],
    ) -> None:
        stage = node.stage
        weights = LossWeights(stage.distortion_weight, stage.rate_weight, stage.ocr_weight)

        def terms(codec: Codec, batch: Batch) -> LossTerms:
            return objective(codec(batch.images), batch.images, batch.texts, recognizer, weights)

        keeper = FileKeeper(self.folder / f"{node.key}.partial.pt", self.save_seconds)
        train_stage(
            codec,
            terms,
            lambda start: dataset.batches(data, stage.batch_size, node.seed, start),
            stage,
            seed=node.seed,
            report=report,
            keeper=keeper,
        )
        with atomic(self.path(node)) as partial:
            torch.save(codec.state_dict(), partial)
        keeper.forget()


def load_codec(name: str, path: Path) -> Codec:
    """A codec with the weights of a store's file, in evaluation mode on the CPU."""
    codec = codecs.build(name)
    codec.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return codec.eval()


class FileKeeper:
    """Keeps a training stage's state in a file, replaced whole every so often."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._saved = time.monotonic()

    def restore(self) -> TrainingState | None:
        """The state in the file, if there is one."""
        if not self._path.exists():
            return None
        return TrainingState(**torch.load(self._path, map_location="cpu", weights_only=True))

    def offer(self, state: Callable[[], TrainingState]) -> None:
        """Writes the state when the last one is old enough."""
        if time.monotonic() - self._saved < self._seconds:
            return
        with atomic(self._path) as partial:
            torch.save(state()._asdict(), partial)
        self._saved = time.monotonic()

    def forget(self) -> None:
        """Removes the file of a finished stage."""
        self._path.unlink(missing_ok=True)
