"""Where a codec's training may start: CompressAI's published checkpoints, a user's own, exported models."""

import re
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from models import shipped
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec, Plane
from models.errors import WeightsError
from models.files import model
from models.files.model import DIAL_FORMAT
from models.weights import WeightsFile, difference

Network = TypeVar("Network", bound=nn.Module)
RENAMED = (
    (r"\.downsample\.", ".skip."),
    (r"\._matri(x|ces\.)(?=\d)", ".matrices."),
    (r"\._bias(es\.)?(?=\d)", ".biases."),
    (r"\._factor(s\.)?(?=\d)", ".factors."),
)
"""Parts of names in older versions of CompressAI, and in this one."""
CONDITIONED = "modulation.weight"
"""A tensor of a codec that is conditioned on loss weights."""


def load(name: str, file: WeightsFile) -> Codec | ConditionedCodec:
    """The codec of that name with a checkpoint's weights, on the CPU, without coding tables; of a dial, conditioned.

    The file holds a state dict, or under `state_dict` one as CompressAI's example training and `sweep.pick` write it.
    Its parameters alone are taken: what else it holds is constant, or follows from them.

    Raises:
        WeightsError: the file has changed or is missing, or holds no weights or another codec.
        ModelError: no codec has that name.
    """
    codec, content = codecs.build(name), _here(file).read()
    if isinstance(content, dict):
        saved = cast("dict[Any, Any]", content)
        _check(name, file, saved)
        if saved.get("format") == DIAL_FORMAT:
            return _filled(name, ConditionedCodec(codec, _plane(file, saved)), file, saved.get("state_dict"))
        content = saved.get("state_dict", saved)
    return _filled(name, codec, file, content)


def holds_dial(file: WeightsFile) -> bool:
    """Whether the file is an exported dial.

    Raises:
        WeightsError: it cannot be read.
    """
    content = file.read()
    return isinstance(content, dict) and cast("dict[Any, Any]", content).get("format") == DIAL_FORMAT


def _here(file: WeightsFile) -> WeightsFile:
    """The file, where it is the dial that comes along as this machine has it."""
    along = WeightsFile.of(shipped.DIAL)
    return along if file == along else file


def _filled(name: str, network: Network, file: WeightsFile, content: Any) -> Network:
    """A network with a file's weights, by today's names."""
    found = {_today(key): tensor for key, tensor in file.tensors(content).items()}
    if not _fits(network, found):
        raise _other(name, network, file, found)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            parameter.copy_(found[key])
    return network


def _check(name: str, file: WeightsFile, content: dict[Any, Any]) -> None:
    """What an exported model says of itself."""
    if CONDITIONED in content:
        raise WeightsError(
            f"{file.path} holds codecs of all rates; export them: python -m sweep.pick RUN --dial --out FILE"
        )
    if content.get("codec", name) != name:
        raise _named(file, content["codec"], name)


def _plane(file: WeightsFile, content: dict[Any, Any]) -> Plane:
    try:
        return model.plane_of(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{file.path} is a damaged dial; export it again") from error


def _today(key: str) -> str:
    for old, new in RENAMED:
        key = re.sub(old, new, key)
    return key


def _fits(codec: nn.Module, found: dict[str, Tensor]) -> bool:
    wanted = dict(codec.named_parameters())
    return wanted.keys() <= found.keys() <= codec.state_dict().keys() and all(
        found[key].shape == parameter.shape for key, parameter in wanted.items()
    )


def _other(name: str, codec: nn.Module, file: WeightsFile, found: dict[str, Tensor]) -> WeightsError:
    fitting = (other for other in codecs.CODECS if other != name and _fits(codecs.build(other), found))
    held = next(fitting, None)
    if held is not None:
        return _named(file, held, name)
    wanted = dict(codec.named_parameters())
    missing, foreign = wanted.keys() - found.keys(), found.keys() - codec.state_dict().keys()
    if missing or foreign:
        return WeightsError(f"{file.path} is no {name}: {difference(missing, foreign)}; give a checkpoint of {name}")
    key = next(key for key, parameter in wanted.items() if found[key].shape != parameter.shape)
    shapes = ["x".join(map(str, tensor.shape)) for tensor in (found[key], wanted[key])]
    return WeightsError(
        f"{file.path} is {name} of another size: {key} is {shapes[0]}, here {shapes[1]}; "
        "of CompressAI's checkpoints, those of its lower qualities fit"
    )


def _named(file: WeightsFile, held: Any, name: str) -> WeightsError:
    return WeightsError(f"{file.path} holds {held}, not {name}; give --codec {held}, or another --init")
