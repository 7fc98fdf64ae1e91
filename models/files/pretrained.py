"""Where a codec's training may start: CompressAI's published checkpoints, a user's own, exported models."""

import re
from typing import Any, cast

import torch
from torch import Tensor

from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.errors import WeightsError
from models.files.model import DIAL_FORMAT
from models.weights import WeightsFile, difference

RENAMED = (
    (r"\.downsample\.", ".skip."),
    (r"\._matri(x|ces\.)(?=\d)", ".matrices."),
    (r"\._bias(es\.)?(?=\d)", ".biases."),
    (r"\._factor(s\.)?(?=\d)", ".factors."),
)
"""Parts of names in older versions of CompressAI, and in this one."""
CONDITIONED = "modulation.weight"
"""A tensor of a codec that is conditioned on loss weights."""


def load(name: str, file: WeightsFile) -> Codec:
    """The codec of that name with a checkpoint's weights, on the CPU, without coding tables.

    The file holds a state dict, or under `state_dict` one as CompressAI's example training and `sweep.pick` write it.
    Its parameters alone are taken: what else it holds is constant, or follows from them.

    Raises:
        WeightsError: the file has changed or is missing, or holds no weights, another codec or a dial.
        ModelError: no codec has that name.
    """
    codec = codecs.build(name)
    found = _tensors(name, file)
    if not _fits(codec, found):
        raise _other(name, codec, file, found)
    with torch.no_grad():
        for key, parameter in codec.named_parameters():
            parameter.copy_(found[key])
    return codec


def _tensors(name: str, file: WeightsFile) -> dict[str, Tensor]:
    """The file's tensors by today's names."""
    content = file.read()
    if isinstance(content, dict):
        saved = cast("dict[Any, Any]", content)
        _check(name, file, saved)
        content = saved.get("state_dict", saved)
    return {_today(key): tensor for key, tensor in file.tensors(content).items()}


def _check(name: str, file: WeightsFile, content: dict[Any, Any]) -> None:
    """What an exported model says of itself."""
    if content.get("format") == DIAL_FORMAT or CONDITIONED in content:
        raise WeightsError(
            f"{file.path} holds codecs of all rates; export one: python -m sweep.pick RUN --max-bpp 0.1 --out FILE"
        )
    if content.get("codec", name) != name:
        raise _named(file, content["codec"], name)


def _today(key: str) -> str:
    for old, new in RENAMED:
        key = re.sub(old, new, key)
    return key


def _fits(codec: Codec, found: dict[str, Tensor]) -> bool:
    wanted = dict(codec.named_parameters())
    return wanted.keys() <= found.keys() <= codec.state_dict().keys() and all(
        found[key].shape == parameter.shape for key, parameter in wanted.items()
    )


def _other(name: str, codec: Codec, file: WeightsFile, found: dict[str, Tensor]) -> WeightsError:
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
