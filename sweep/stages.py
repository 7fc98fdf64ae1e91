"""The stage tree: every piece of training is a node with a key, trained once and kept under it."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch

from models import checkpoints, codecs
from models.base import Codec
from models.conditioning import ConditionedCodec, Plane
from models.weights import WeightsFile
from sweep.config import Labels, StageConfig, SweepConfig


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
    """Rate and OCR loss at one (lambda, beta), from the stage 1 of that lambda, one of its own, or the conditioned
    codec.
    """
    if config.strategy == "conditional":
        return _folded(conditioned2(config), rate_weight, ocr_weight, config.polish_steps)
    stage = replace(config.stage2, rate_weight=rate_weight, ocr_weight=ocr_weight)
    parent = stage1(config, rate_weight)
    if config.strategy == "independent":
        # A weight that stage 1 does not look at makes it the trial's own.
        parent = replace(parent, stage=replace(parent.stage, ocr_weight=ocr_weight))
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
