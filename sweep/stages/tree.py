"""The stage tree: every piece of training is a node with a key, trained once and kept under it."""

import hashlib
import json
import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, TypeVar

import torch

from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec, Plane
from models.files import pretrained
from models.weights import WeightsFile
from sweep import versions
from sweep.config import Labels, StageConfig, SweepConfig
from sweep.versions import Versions

Item = TypeVar("Item", bound=Hashable)
Origins = tuple[tuple[float, float], ...]
"""(lambda, beta) of trials, each of which starts where the one before it ended."""
ANY = (1.0, 1.0)
"""Range of beta of a conditioned codec that knows none yet."""


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
    versions: Versions | None = None
    """Of what trains it and its ancestors; None: of a run before there were any."""

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits: equal keys, equal weights."""
        identity = asdict(self, dict_factory=_identity)
        if self.versions is not None:
            identity["versions"] = {name: getattr(self.versions, name) for name in self._asks}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def _asks(self) -> Iterator[str]:
        """Names of the versions that its weights depend on; the renderer's is in the digest of the data."""
        lineage = [self, *self.ancestors]
        yield from ("codec", "training")
        if any(node.plane for node in lineage):
            yield "conditioning"
        if any(node.recognizer for node in lineage):
            yield "recognizers"

    @property
    def title(self) -> str:
        """What a person calls it."""
        return "stage 2" if self.recognizer else "stage 1"

    @property
    def ancestors(self) -> list["Node"]:
        """What is trained before it, the next one first."""
        return [] if self.parent is None else [self.parent, *self.parent.ancestors]

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
        return self._conditioned(pretrained.load(self.codec, self.init))

    def adopt(self, codec: Codec | ConditionedCodec) -> Codec | ConditionedCodec:
        """The trained codec of its parent, as this node's training starts from it: over its plane, or folded."""
        if not isinstance(codec, ConditionedCodec):
            return codec
        return codec.over(self.plane) if self.plane else codec.fold(self.stage.rate_weight, self.stage.ocr_weight)

    def _conditioned(self, codec: Codec) -> Codec | ConditionedCodec:
        return codec if self.plane is None else ConditionedCodec(codec, self.plane)


def _identity(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """What of a node determines its weights: of a file its content, not its place. No file at all leaves the key as it
    was before there could be one. The versions stand for the whole lineage once.
    """
    dropped = ("path", "versions")
    return {name: value for name, value in fields if name not in dropped and (name, value) != ("init", None)}


def plane(config: SweepConfig) -> Plane:
    """The loss weights that a sweep explores."""
    return Plane(rate_weights=(config.lambdas[-1], config.lambdas[0]), ocr_weights=config.betas)


def stage1(config: SweepConfig, rate_weight: float) -> Node:
    """Rate and distortion at one lambda (TFIC, section III-B): its own training, or a fold of the conditioned one.

    Where the strategy is to continue, it starts from the next lambda towards the middle of the sweep's list.
    """
    if config.strategy == "conditional":
        return _folded(conditioned1(config), rate_weight, 0.0)
    stage = replace(config.stage1, rate_weight=rate_weight)
    node = _root(config, stage)
    inward = _inward(config.lambdas, rate_weight) if config.strategy == "continued" else None
    return node if inward is None else replace(node, parent=stage1(config, inward))


def _root(config: SweepConfig, stage: StageConfig, plane: Plane | None = None) -> Node:
    """A stage 1 that starts from the sweep's weights, or from fresh ones."""
    by = versions.today(config.codec)
    data = config.data.digest()
    return Node(data, config.codec, None, stage, config.seed, plane=plane, init=config.init, versions=by)


def _inward(lambdas: tuple[float, ...], rate_weight: float) -> float | None:
    index, middle = lambdas.index(rate_weight), len(lambdas) // 2
    return None if index == middle else lambdas[index + (1 if index < middle else -1)]


def stage2(config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
    """Rate and OCR loss at one (lambda, beta).

    Args:
        origins: where the strategy is to continue, the trials that it comes from, each from the one before.
    """
    if config.strategy == "conditional":
        return _folded(conditioned2(config), rate_weight, ocr_weight, config.polish_steps)
    path = (*origins, (rate_weight, ocr_weight))
    node = _before(config, *path[0])
    for rate_weight, ocr_weight in path:
        stage = replace(config.stage2, rate_weight=rate_weight, ocr_weight=ocr_weight)
        node = replace(node, recognizer=config.recognizer_identity, stage=stage, parent=node, labels=config.labels)
    return node


def _before(config: SweepConfig, rate_weight: float, ocr_weight: float) -> Node:
    """The stage 1 that a stage 2 starts from: that of its lambda, one of its own, or that of the nearest lambda."""
    match config.strategy:
        case "independent":
            node = stage1(config, rate_weight)
            # A weight that stage 1 does not look at makes it the trial's own.
            return replace(node, stage=replace(node.stage, ocr_weight=ocr_weight))
        case "continued":
            return stage1(config, min(config.lambdas, key=lambda each: abs(math.log(each / rate_weight))))
        case _:
            return stage1(config, rate_weight)


def trial_nodes(config: SweepConfig) -> list[Node]:
    """A trial's own training, of one like others."""
    node = stage2(config, config.lambdas[0], config.betas[0])
    return [node.parent, node] if config.strategy == "independent" and node.parent else [node]


def shared(config: SweepConfig) -> list[Node]:
    """What every point starts from, in order of training: the two stages of the conditioned codec."""
    return [conditioned1(config), conditioned2(config)] if config.strategy == "conditional" else []


def as_of(node: Node, data: str | None, by: Versions | None) -> Node:
    """The node as the release had it that trained it.

    Args:
        data: digest of the data set under its renderer; None: as it is now.
    """
    parent = None if node.parent is None else as_of(node.parent, data, by)
    return replace(node, data=data or node.data, versions=by, parent=parent)


def waves(items: Iterable[Item], node_of: Callable[[Item], Node | None]) -> list[list[Item]]:
    """What may be trained at once: a node that starts where another one's training ends comes after that one."""
    nodes = {item: node_of(item) for item in items}
    trained = set(nodes.values())

    def before(item: Item) -> int:
        node = nodes[item]
        return sum(ancestor in trained for ancestor in node.ancestors) if node else 0

    return [list(wave) for _, wave in groupby(sorted(nodes, key=before), key=before)]


def roots(config: SweepConfig) -> list[Node]:
    """Where training starts: the nodes without a parent."""
    if config.strategy == "conditional":
        return [conditioned1(config)]
    return [stage1(config, rate_weight) for rate_weight in config.lambdas]


def conditioned1(config: SweepConfig) -> Node:
    """One codec for every lambda, knowing rate and distortion; the same for all ranges of beta."""
    any_beta = replace(plane(config), ocr_weights=ANY)
    return _root(config, config.stage1, any_beta)


def conditioned2(config: SweepConfig) -> Node:
    """One codec for every (lambda, beta)."""
    parent = conditioned1(config)
    return replace(
        parent,
        recognizer=config.recognizer_identity,
        stage=config.stage2,
        parent=parent,
        plane=plane(config),
        labels=config.labels,
    )


def _folded(parent: Node, rate_weight: float, ocr_weight: float, steps: int = 0) -> Node:
    stage = replace(parent.stage, steps=steps, rate_weight=rate_weight, ocr_weight=ocr_weight)
    return replace(parent, stage=stage, parent=parent, plane=None)
