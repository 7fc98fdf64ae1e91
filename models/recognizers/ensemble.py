"""The recognizers that a sweep trains against: one, or several that take turns by batch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ModelError
from models.recognizers import registry as recognizers
from models.recognizers.base import FrozenRecognizer, Transcription
from models.recognizers.four_stage.network import COMBINATIONS
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile


@dataclass(frozen=True, slots=True)
class RecognizerConfig:
    """One recognizer of a sweep."""

    name: str
    """english_g2, ppocr, a four-stage network's, or a user's module:function."""
    weight: float = 1.0
    """How often this recognizer's turn comes, relative to the others'."""
    source: WeightsFile | Plugin | None = None
    """Where the weights come from, if no package brings them."""

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise ModelError(f"--recognizer {self.name}={self.weight}: a weight must be a number above 0")

    @property
    def is_users(self) -> bool:
        """Whether loading it imports and calls a user's code."""
        return ":" in self.name

    @property
    def label(self) -> str:
        """What the recognizer's column of a table ends in."""
        return self.name.replace(":", ".")


def parse(wanted: Sequence[str], files: Sequence[Path] = ()) -> tuple[RecognizerConfig, ...]:
    """The recognizers that a command line names.

    Args:
        wanted: names, each with `=WEIGHT` or without.
        files: checkpoints of those that come without weights, in their order.

    Raises:
        ModelError: a name is unknown, a weight or file is missing or too many.
    """
    left = iter(files)
    configs = tuple(_config(said, left) for said in wanted)
    identity(configs)
    if (unused := next(left, None)) is not None:
        names = " and ".join(recognizer_config.name for recognizer_config in configs)
        raise ModelError(f"nothing of {names} needs {unused}; leave --recognizer-weights out")
    return configs


def identity(configs: Sequence[RecognizerConfig]) -> str:
    """What tells a training against them from others': names, checksums, shares; the one that reads comes first.

    Raises:
        ModelError: as `recognizers.identity`; there is none, or one twice.
    """
    found = [recognizers.identity(recognizer_config.name, recognizer_config.source) for recognizer_config in configs]
    if not found or len({recognizer_config.label for recognizer_config in configs}) < len(found):
        raise ModelError(f"recognizers {', '.join(found) or '(none)'}: give at least one, and each once")
    if len(found) == 1:
        return found[0]
    return "|".join(f"{name}={share:.6g}" for name, share in zip(found, _shares(configs), strict=True))


def reading(identity: str) -> str:
    """Identity of the one that reads."""
    return identity.partition("|")[0].partition("=")[0]


def load(configs: Sequence[RecognizerConfig]) -> FrozenRecognizer:
    """The recognizers as one, frozen, on the CPU.

    Raises:
        ModelError: as `identity`.
        WeightsError: weights are missing or have changed.
    """
    members = {
        recognizer_config.label: recognizers.load(recognizer_config.name, recognizer_config.source)
        for recognizer_config in configs
    }
    [*several] = members.values()
    return several[0] if len(several) == 1 else Ensemble(members, _shares(configs))


class Ensemble(FrozenRecognizer):
    """Several recognizers that take turns with the loss. The first one reads; the others are `others`.

    A mean accuracy would be nobody's, and comparable with no run against one of them: the first one's guides the search
    and stands in `accuracy`.
    """

    def __init__(self, members: dict[str, FrozenRecognizer], shares: list[float]) -> None:
        """`shares` add up to 1."""
        super().__init__()
        self._names, self._shares = list(members), shares
        self.members = nn.ModuleList(members.values())

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """The loss of one recognizer, drawn by its share: over many batches the weighted mean, in the time of one."""
        turn = int(torch.tensor(self._shares).multinomial(1))
        return list(self._members())[turn].loss(images, texts, scale)

    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Transcription]:
        """The text of each image, as the first recognizer reads it."""
        return self._first.read(images)

    def alignable(self, texts: Sequence[str], height: int, width: int, scale: float = 1.0) -> list[bool]:
        """Whether all recognizers can read each text."""
        found = [member.alignable(texts, height, width, scale) for member in self._members()]
        return [all(each) for each in zip(*found, strict=True)]

    @property
    def readable(self) -> str | None:
        """Characters that all recognizers know."""
        known = [member.readable for member in self._members() if member.readable is not None]
        return "".join(c for c in known[0] if all(c in other for other in known[1:])) if known else None

    @property
    def others(self) -> dict[str, FrozenRecognizer]:
        """The recognizers after the first, by name."""
        return dict(list(zip(self._names, self._members(), strict=True))[1:])

    def as_read(self, text: str) -> str:
        """The text as the first recognizer can tell it."""
        return self._first.as_read(text)

    @property
    def _first(self) -> FrozenRecognizer:
        return next(self._members())

    def _members(self) -> Iterator[FrozenRecognizer]:
        for member in self.members:
            assert isinstance(member, FrozenRecognizer)
            yield member


def _shares(configs: Iterable[RecognizerConfig]) -> list[float]:
    weights = [recognizer_config.weight for recognizer_config in configs]
    return [weight / sum(weights) for weight in weights]


def _config(said: str, files: Iterator[Path]) -> RecognizerConfig:
    name, _, weight = said.partition("=")
    name = recognizers.canonical(name)
    source = None
    if ":" in name:
        source = Plugin.of(name)
    elif name in COMBINATIONS and (file := next(files, None)) is not None:
        source = WeightsFile.of(file)
    return RecognizerConfig(name, _weight(said, weight), source)


def _weight(said: str, weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError as error:
        raise ModelError(
            f"--recognizer {said}: {weight!r} is no number; write a weight as in english_g2=0.5"
        ) from error
