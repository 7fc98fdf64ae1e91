"""The stage tree: every piece of training is a node with a key, trained once and kept under it."""

import hashlib
import json
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
from sweep.config import StageConfig, SweepConfig
from sweep.names import Labels
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
    """The recognizer's identity; None in stage 1, which asks none."""
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
    """Numbers of what trains the node and its ancestors; None in a run before there were any."""

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
        """The node's name for a person."""
        return "stage 2" if self.recognizer else "stage 1"

    @property
    def ancestors(self) -> list["Node"]:
        """The nodes that are trained before this one, its parent first."""
        return [] if self.parent is None else [self.parent, *self.parent.ancestors]

    def build(self) -> Codec | ConditionedCodec:
        """The node's codec with fresh weights."""
        return self._conditioned(codecs.build(self.codec))

    def start(self) -> Codec | ConditionedCodec:
        """The codec that the training of a node without a parent starts from.

        Raises:
            WeightsError: the sweep's checkpoint is missing, has changed or holds something else.
        """
        torch.manual_seed(self.seed)  # pyright: ignore[reportUnknownMemberType]
        if self.init is None:
            return self.build()
        found = pretrained.load(self.codec, self.init)
        return self.adopt(found) if isinstance(found, ConditionedCodec) else self._conditioned(found)

    def adopt(self, codec: Codec | ConditionedCodec) -> Codec | ConditionedCodec:
        """A trained codec, of its parent or of a file, as this node's training starts from it."""
        if not isinstance(codec, ConditionedCodec):
            return codec
        return codec.over(self.plane) if self.plane else codec.fold(self.stage.rate_weight, self.stage.ocr_weight)

    def _conditioned(self, codec: Codec) -> Codec | ConditionedCodec:
        return codec if self.plane is None else ConditionedCodec(codec, self.plane)


def _identity(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of a node that determine its weights.

    A file counts by its content, not its place. Where a field is as if there were none, the key is what it was before
    there could be one. Versions are added once for the whole lineage.
    """
    dropped, unset = ("path", "versions"), (("init", None), ("text_weight", 0.0))
    return {name: value for name, value in fields if name not in dropped and (name, value) not in unset}


def plane(config: SweepConfig) -> Plane:
    """The loss weights that a sweep explores."""
    return Plane(rate_weights=(config.search.lambdas[-1], config.search.lambdas[0]), ocr_weights=config.search.betas)


def stage1(config: SweepConfig, rate_weight: float) -> Node:
    """A plain stage 1 at one lambda, from the sweep's weights or from fresh ones."""
    return _root(config, replace(config.stage1, rate_weight=rate_weight))


def stage2(config: SweepConfig, parent: Node, rate_weight: float, ocr_weight: float) -> Node:
    """A plain stage 2 at one (lambda, beta), which starts where another node ends."""
    stage = replace(config.stage2, rate_weight=rate_weight, ocr_weight=ocr_weight)
    return replace(parent, recognizer=config.recognizer_identity, stage=stage, parent=parent, labels=config.labels)


def conditioned1(config: SweepConfig) -> Node:
    """Stage 1 of one codec for every lambda; equal for all ranges of beta."""
    return _root(config, config.stage1, replace(plane(config), ocr_weights=ANY))


def conditioned2(config: SweepConfig) -> Node:
    """Stage 2 of one codec for every (lambda, beta)."""
    parent = conditioned1(config)
    return replace(
        parent,
        recognizer=config.recognizer_identity,
        stage=config.stage2,
        parent=parent,
        plane=plane(config),
        labels=config.labels,
    )


def folded(parent: Node, rate_weight: float, ocr_weight: float, steps: int = 0) -> Node:
    """A plain codec out of a conditioned one at one (lambda, beta), trained for so many steps there."""
    stage = replace(parent.stage, steps=steps, rate_weight=rate_weight, ocr_weight=ocr_weight)
    return replace(parent, stage=stage, parent=parent, plane=None)


def _root(config: SweepConfig, stage: StageConfig, plane: Plane | None = None) -> Node:
    """A stage 1 that starts from the sweep's weights, or from fresh ones."""
    by = versions.today(config.codec)
    data = config.data.digest()
    return Node(data, config.codec, None, stage, config.seed, plane=plane, init=config.init, versions=by)


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
