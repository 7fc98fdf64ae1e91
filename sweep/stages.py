"""The stage tree: every piece of training is a node with a key, trained once and kept under it."""

import hashlib
import json
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from datagen import dataset
from datagen.dataset import TextImages
from datagen.shards import atomic
from models import checkpoints, codecs
from models.base import Codec
from models.conditioning import ConditionedCodec, Plane
from models.reading import FrozenRecognizer
from models.weights import WeightsFile
from sweep.config import Labels, StageConfig, SweepConfig
from sweep.errors import SweepError
from sweep.objectives import objective_of
from sweep.training import ALONE, Progress, Team, TrainingState, train_stage


@dataclass(frozen=True)
class Node:
    """One stage of training, and all that its outcome depends on."""

    data: str
    """Digest of the data set."""
    codec: str
    recognizer: str | None
    """Its identity; None in stage 1, which asks no recognizer."""
    stage: StageConfig
    seed: int
    parent: "Node | None" = None
    """Where its weights start; None: fresh ones."""
    plane: Plane | None = None
    """What its codec is conditioned on; None: a plain codec, folded out of its parent where that is conditioned."""
    labels: Labels = "truth"
    init: WeightsFile | None = None
    """Where the weights of a node without a parent start."""

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal keys, equal weights."""
        identity = json.dumps(asdict(self, dict_factory=_identity), sort_keys=True)
        return hashlib.sha256(identity.encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """What a person calls it."""
        return "stage 2" if self.recognizer else "stage 1"

    def build(self) -> Codec | ConditionedCodec:
        """Its codec with fresh weights."""
        return self._conditioned(codecs.build(self.codec))

    def start(self) -> Codec | ConditionedCodec:
        """Its codec before training, of a node without a parent.

        Raises:
            WeightsError: the checkpoint that it starts from is missing, has changed or holds something else.
        """
        torch.manual_seed(self.seed)
        if self.init is None:
            return self.build()
        return self._conditioned(checkpoints.load(self.codec, self.init))

    def _conditioned(self, codec: Codec) -> Codec | ConditionedCodec:
        return codec if self.plane is None else ConditionedCodec(codec, self.plane)


def _identity(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """What of a node determines its weights: of a file its content, not its place. No file at all leaves the key as it
    was before there could be one.
    """
    return {name: value for name, value in fields if name != "path" and (name, value) != ("init", None)}


def plane(config: SweepConfig) -> Plane:
    """The loss weights that a sweep explores."""
    return Plane(rate_weights=(config.lambdas[-1], config.lambdas[0]), ocr_weights=config.betas)


def stage1(config: SweepConfig, rate_weight: float) -> Node:
    """Rate and distortion at one lambda (TFIC, section III-B): its own training, or a fold of the conditioned one."""
    if config.strategy == "conditional":
        return _folded(conditioned1(config), rate_weight, 0.0)
    stage = replace(config.stage1, rate_weight=rate_weight)
    return Node(config.data.digest(), config.codec, None, stage, config.seed, init=config.init)


def stage2(config: SweepConfig, rate_weight: float, ocr_weight: float) -> Node:
    """Rate and OCR loss at one (lambda, beta), from the stage 1 of that lambda or the conditioned codec."""
    if config.strategy == "conditional":
        return _folded(conditioned2(config), rate_weight, ocr_weight, config.polish_steps)
    stage = replace(config.stage2, rate_weight=rate_weight, ocr_weight=ocr_weight)
    parent = stage1(config, rate_weight)
    return replace(parent, recognizer=config.recognizer_identity, stage=stage, parent=parent, labels=config.labels)


def shared(config: SweepConfig) -> list[Node]:
    """What every point starts from, in order of training: the two stages of the conditioned codec."""
    return [conditioned1(config), conditioned2(config)] if config.strategy == "conditional" else []


def roots(config: SweepConfig) -> list[Node]:
    """Where training starts: the nodes without a parent."""
    if config.strategy == "conditional":
        return [conditioned1(config)]
    return [stage1(config, rate_weight) for rate_weight in config.lambdas]


def conditioned1(config: SweepConfig) -> Node:
    """One codec for every lambda, knowing rate and distortion."""
    return Node(
        config.data.digest(), config.codec, None, config.stage1, config.seed, plane=plane(config), init=config.init
    )


def conditioned2(config: SweepConfig) -> Node:
    """One codec for every (lambda, beta)."""
    parent = conditioned1(config)
    return replace(
        parent, recognizer=config.recognizer_identity, stage=config.stage2, parent=parent, labels=config.labels
    )


def _folded(parent: Node, rate_weight: float, ocr_weight: float, steps: int = 0) -> Node:
    stage = replace(parent.stage, steps=steps, rate_weight=rate_weight, ocr_weight=ocr_weight)
    return replace(parent, stage=stage, parent=parent, plane=None)


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
        recognizer: FrozenRecognizer,
        device: torch.device,
        report: Callable[[Progress], None] = lambda progress: None,
        team: Team = ALONE,
    ) -> Codec | ConditionedCodec:
        """The node's codec in evaluation mode; trains what the store lacks of it and its ancestors.

        Raises:
            DivergedError: its training loss is not finite.
            WeightsError: as `Node.start`.
        """
        if self.path(node).exists():
            return self.load(node).to(device)
        if node.parent is None:
            codec = node.start().to(device)
        else:
            codec = self.codec(node.parent, data, recognizer, device, report, team)
        if isinstance(codec, ConditionedCodec) and node.plane is None:
            codec = codec.fold(node.stage.rate_weight, node.stage.ocr_weight)
        if node.stage.steps:
            self._train(node, codec, data, recognizer, report, team)
        if team.rank == 0:
            with atomic(self.path(node)) as partial:
                torch.save(codec.state_dict(), partial)
            self._keeper(node, team).forget()
        return codec

    def load(self, node: Node) -> Codec | ConditionedCodec:
        """A finished node's codec, in evaluation mode on the CPU.

        Raises:
            SweepError: its file is missing or damaged.
        """
        codec = node.build()
        _load(codec, self.path(node))
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
        train_stage(
            codec,
            objective_of(node.stage, node.plane, recognizer if node.recognizer else None),
            lambda start: dataset.batches(data, node.stage.batch_size, node.seed, start, among),
            node.stage,
            seed=node.seed,
            team=team,
            report=report,
            keeper=self._keeper(node, team),
        )

    def _keeper(self, node: Node, team: Team) -> "FileKeeper":
        """All of a team read the same state; its first member writes it."""
        return FileKeeper(self.folder / f"{node.key}.partial.pt", self.save_seconds if team.rank == 0 else math.inf)


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
