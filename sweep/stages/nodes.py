"""Trained nodes of the stage tree by their keys, wherever they are kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from sweep.errors import SweepError
from sweep.stages.tree import Node, Origins
from sweep.training.checkpoint import Checkpointer, Mishaps

AnyCodec = TypeVar("AnyCodec", Codec, ConditionedCodec, Codec | ConditionedCodec)
FOLDER = "checkpoints"
"""Folder of a run that keeps what it has trained."""
MISHAPS = "mishaps"
"""In a node's description, what went wrong in its training."""


def file(key: str) -> str:
    """The file of a node's weights, in the run's folder."""
    return f"{FOLDER}/{key}.pt"


class NodeStore(ABC):
    """Weights and descriptions of a run's nodes, and the states of those in training."""

    @property
    @abstractmethod
    def run(self) -> Path:
        """The run's folder, on the machine that has it."""

    @abstractmethod
    def weights(self, key: str) -> dict[str, Any] | None:
        """The weights under a key, on the CPU; None where there are none that are whole.

        Raises:
            SweepError: they cannot be read.
        """

    @abstractmethod
    def described(self, key: str) -> dict[str, Any]:
        """A node and how its training went; empty where that is lost."""

    @abstractmethod
    def keep(self, key: str, description: dict[str, Any], weights: dict[str, Any]) -> None:
        """Keeps the weights and the description of a trained node."""

    @abstractmethod
    def forget(self, key: str) -> None:
        """Removes what is half done of a node."""

    @abstractmethod
    def checkpointer(self, key: str) -> Checkpointer:
        """Keeps the states of a node's training while it is under way."""

    def load(self, node: Node) -> Codec | ConditionedCodec | None:
        """The codec of a finished node, in evaluation mode on the CPU; None where it is not trained.

        Raises:
            SweepError: its weights cannot be read, or are another network's.
        """
        return self._load(node.key, node.build)

    def trained(self, node: Node) -> Codec | ConditionedCodec:
        """The codec of a node that all workers have trained together; as `load`.

        Raises:
            SweepError: it is lost.
        """
        found = self.load(node)
        if found is None:
            raise SweepError(
                f"{file(node.key)}, which is {node.title} of all points, is lost; --resume trains it again"
            )
        return found

    def load_plain(self, codec: str, key: str) -> Codec | None:
        """The codec of a point, by the codec's name and the key of its node; as `load`."""
        return self._load(key, lambda: codecs.build(codec))

    def _load(self, key: str, build: Callable[[], AnyCodec]) -> AnyCodec | None:
        weights = self.weights(key)
        return None if weights is None else _filled(build(), weights, key)

    def save(self, node: Node, codec: Codec | ConditionedCodec, mishaps: Mishaps) -> None:
        """Keeps a trained node."""
        self.keep(node.key, asdict(node) | {MISHAPS: mishaps._asdict()}, codec.state_dict())

    def origins(self, key: str) -> Origins:
        """The trials that a point's stage 2 went on from, as its description has them; none where that is lost."""
        node = self.described(key)
        found: list[tuple[float, float]] = []
        while (node := node.get("parent")) is not None:
            if node["recognizer"] and not node["plane"]:
                found.append((node["stage"]["rate_weight"], node["stage"]["ocr_weight"]))
        return tuple(reversed(found))

    def mishaps(self, node: Node) -> str:
        """What went wrong in the training of a finished node and of what it starts from; empty where nothing did."""
        path = (*reversed(node.ancestors), node)
        told = [(each.title, Mishaps(**self.described(each.key).get(MISHAPS, {}))) for each in path]
        return "; ".join(f"{title}: {mishaps}" for title, mishaps in told if any(mishaps))


def _filled(codec: AnyCodec, weights: dict[str, Any], key: str) -> AnyCodec:
    """The codec with weights."""
    try:
        codec.load_state_dict(weights)
    # torch's own reasons run over many lines.
    except (RuntimeError, TypeError) as error:
        raise SweepError(
            f"checkpoint {key} holds the weights of another network, as another version of this program built it; "
            "use that version, or start again beside other runs"
        ) from error
    return codec.eval()
