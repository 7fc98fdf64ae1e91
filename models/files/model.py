"""model.pt: a trained codec of one rate, or with a dial for all, and the fingerprint that its .tfic files carry."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from models.codecs import coding_tables
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec, Plane
from models.errors import ModelError, WeightsError
from models.files import archive
from models.files.disk import atomic
from models.fingerprint import fingerprint

FORMAT, DIAL_FORMAT = "tfic-model-2", "tfic-dial-1"
QUALITIES = range(101)
"""Positions of a dial, by rising rate."""
MIDDLE = 50
"""The position that is taken where none is asked for."""
EXPORT = "python -m sweep.pick RUN --max-bpp 0.1 --out model.pt"

Facts = dict[str, float | str]
"""How a model was made and what it measured: `lambda`, `beta`, `bpp`, `accuracy`, ..."""


class Size(NamedTuple):
    """Of an image, in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class TrainedCodec:
    """A codec of one rate."""

    codec: Codec
    codec_name: str
    recognizer_name: str
    """The recognizers that trained the codec, as `ensemble.identity` writes them."""
    facts: Facts
    canvas: Size | None = None
    """The size of the images that trained it, which files do not repeat."""

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 over the codec's name and every tensor."""
        return fingerprint(self.codec_name, self.codec.state_dict())

    def codec_at(self, quality: int | None) -> Codec:
        """The codec.

        Raises:
            ModelError: a quality is asked for.
        """
        if quality is not None:
            raise ModelError(
                "this model has one rate; export one with a dial: python -m sweep.pick RUN --dial --out FILE"
            )
        return self.codec

    def save(self, path: Path) -> None:
        """Writes model.pt atomically."""
        _save(path, self, {"format": FORMAT}, self.codec)


class Stop(NamedTuple):
    """A point of the path that a dial follows."""

    rate_weight: float
    ocr_weight: float


@dataclass(frozen=True)
class RateDial:
    """A conditioned codec and a path through its plane, from the lowest rate to the highest."""

    network: ConditionedCodec
    codec_name: str
    recognizer_name: str
    """The recognizers that trained the codec, as `ensemble.identity` writes them."""
    path: tuple[Stop, ...]
    """At equal distances of the dial; log lambda and log beta are linear between them."""
    facts: Facts
    canvas: Size | None = None
    """The size of the images that trained it, which files do not repeat."""

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 over the codec's name, the path and every tensor."""
        return fingerprint(f"{self.codec_name} {self.path}", self.network.state_dict())

    def codec_at(self, quality: int | None) -> Codec:
        """The plain codec of a position from 0 to 100.

        Raises:
            ModelError: there is no such position, or none is given.
        """
        if quality not in QUALITIES:
            raise ModelError("this model has a dial from 0 to 100; give --bpp, or a --quality within it")
        return self._fold(quality)

    @lru_cache(maxsize=32)  # noqa: B019 - a model lives as long as the process
    def _fold(self, quality: int) -> Codec:
        return self.network.fold(*self.weights(quality))

    def weights(self, quality: int) -> Stop:
        """Lambda and beta of a position."""
        at = quality / QUALITIES[-1] * (len(self.path) - 1)
        left = min(int(at), max(0, len(self.path) - 2))
        a, b = self.path[left], self.path[min(left + 1, len(self.path) - 1)]
        share = at - left
        return Stop(
            *(math.exp((1 - share) * math.log(low) + share * math.log(high)) for low, high in zip(a, b, strict=True))
        )

    @torch.no_grad()
    def halved(self) -> "RateDial":
        """The dial with weights that half precision holds, so that a file of them is half as large."""
        for weight in self.network.parameters():
            weight.copy_(weight.half())
        return replace(self)

    def save(self, path: Path) -> None:
        """Writes model.pt atomically."""
        content = {"format": DIAL_FORMAT, "plane": asdict(self.network.plane), "path": list(map(list, self.path))}
        _save(path, self, content, self.network)

    __hash__ = object.__hash__


Model = TrainedCodec | RateDial


def load_model(path: Path) -> Model:
    """The model that `save` wrote, in evaluation mode on the CPU. Nothing in the file is executed.

    Raises:
        WeightsError: the file is missing, is no such file, or is damaged.
    """
    try:
        archive.check_tensors(path)
        read = torch.load(path, map_location="cpu", weights_only=True)
        content = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
        if content.get("format") not in (FORMAT, DIAL_FORMAT):
            raise WeightsError(f"{path} is no exported codec; make one with {EXPORT}")
        _check(path, content)
        model = _trained(content) if content["format"] == FORMAT else _dial(content)
        whole = model.fingerprint.hex() == content["fingerprint"]
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist; make one with {EXPORT}") from error
    except ModelError as error:
        said = str(error)
        raise WeightsError(said if said.startswith(str(path)) else f"{path}: {said}") from error
    # torch's reader, and what is built of what it read, raise whatever they like on another file.
    except Exception as error:
        raise WeightsError(f"{path} cannot be read as an exported codec; export it again") from error
    if not whole:
        raise WeightsError(f"{path} is damaged: its weights differ from their fingerprint; export it again")
    return model


def _check(path: Path, content: dict[str, Any]) -> None:
    """Looks at what a file holds before anything is built of it.

    Raises:
        WeightsError: its weights are damaged.
        TypeError: something is of another kind.
    """
    texts = content["codec"], content["recognizer"], content["fingerprint"], *content["facts"]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a name is no text")
    if not all(isinstance(fact, int | float | str) for fact in content["facts"].values()):
        raise TypeError("a fact is neither number nor text")
    archive.check_state(path, content["state_dict"])


def _trained(content: dict[str, Any]) -> TrainedCodec:
    codec = codecs.build(content["codec"])
    codec.load_state_dict(content["state_dict"])
    coding_tables.check_tables(codec)
    return TrainedCodec(codec.eval(), content["codec"], content["recognizer"], content["facts"], _canvas(content))


def plane_of(content: dict[str, Any]) -> Plane:
    """The loss weights that a dial's file knows.

    Raises:
        ValueError, TypeError: the file is damaged there.
    """
    return Plane(**{name: _weights(bounds, 2) for name, bounds in content["plane"].items()})


def _dial(content: dict[str, Any]) -> RateDial:
    network = ConditionedCodec(codecs.build(content["codec"]), plane_of(content))
    network.load_state_dict(content["state_dict"])
    path = tuple(Stop(*_weights(stop, 2)) for stop in content["path"])
    if not path:
        raise ValueError("a dial without a stop")
    return RateDial(network.eval(), content["codec"], content["recognizer"], path, content["facts"], _canvas(content))


def _canvas(content: dict[str, Any]) -> Size | None:
    """The canvas, which an older file does not tell."""
    sides = content.get("canvas") or ()
    if not sides:
        return None
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError("an image has sides of at least a pixel")
    return Size(*sides)


def _weights(values: Sequence[Any], count: int) -> tuple[Any, ...]:
    """So many loss weights, whose logarithms are taken."""
    if len(values) != count or not all(isinstance(value, float) and 0 < value < math.inf for value in values):
        raise ValueError("weights of the loss are above 0")
    return tuple(values)


def _save(path: Path, model: Model, content: dict[str, Any], weights: torch.nn.Module) -> None:
    content |= {"codec": model.codec_name, "recognizer": model.recognizer_name, "facts": model.facts}
    content |= {"canvas": list(model.canvas or ()), "fingerprint": model.fingerprint.hex()}
    content |= {"state_dict": _packed(weights)}
    # torch.save writes the name of a file into it.
    memory = BytesIO()
    torch.save(content, memory)
    with atomic(path) as partial:
        partial.write_bytes(memory.getvalue())


def _packed(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A network's tensors; in half precision, if it holds all weights as they are."""
    halves = {name: weight.half() for name, weight in network.named_parameters()}
    exact = all(torch.equal(weight, halves[name].float()) for name, weight in network.named_parameters())
    return {name: tensor.cpu() for name, tensor in (network.state_dict() | (halves if exact else {})).items()}
