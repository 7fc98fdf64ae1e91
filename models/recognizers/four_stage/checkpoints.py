"""Checkpoints of the four-stage framework: files that a user brings, checked and loaded without running anything."""

import string

import torch
from torch import Tensor

from models.errors import WeightsError
from models.recognizers.four_stage.network import COMBINATIONS, Stages, StrNet
from models.weights import WeightsFile, difference

ALPHANUMERIC = string.digits + string.ascii_lowercase
PRINTABLE = string.digits + string.ascii_letters + string.punctuation
CHARACTERS = {len(characters): characters for characters in (ALPHANUMERIC, PRINTABLE)}
"""The published character sets by size, 36 and 94; `characters[i]` follows the classes of blank, or [GO] and [s]."""


def load(name: str, file: WeightsFile) -> tuple[StrNet, str]:
    """The network of a combination with a checkpoint's weights, and its characters.

    Raises:
        WeightsError: the file has changed or is missing, holds no weights, or those of another network.
    """
    state, stages = file.tensors(file.read()), COMBINATIONS[name]
    scores = state.get("Prediction.weight" if stages.prediction == "ctc" else "Prediction.generator.weight")
    if scores is None:
        raise _other(name, file, state)
    characters = _characters(stages, len(scores), file)
    # Without memory of its own: the file's tensors become its weights.
    with torch.device("meta"):
        network = StrNet(stages, len(scores))
    if network.state_dict().keys() != state.keys():
        raise _other(name, file, state)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise WeightsError(f"{file.path}: shapes differ from the published {name}'s; give a released one") from error
    return network, characters


def _characters(stages: Stages, classes: int, file: WeightsFile) -> str:
    count = classes - (1 if stages.prediction == "ctc" else 2)
    if count not in CHARACTERS:
        raise WeightsError(f"{file.path} knows {count} characters; only sets of 36 (0-9a-z) and 94 can be read")
    return CHARACTERS[count]


def _other(name: str, file: WeightsFile, state: dict[str, Tensor]) -> WeightsError:
    fitting = [other for other, stages in COMBINATIONS.items() if _keys(stages) == state.keys()]
    if fitting:
        return WeightsError(f"{file.path} holds {fitting[0]}, not {name}; give --recognizer {fitting[0]}")
    missing, foreign = _keys(COMBINATIONS[name]) - state.keys(), state.keys() - _keys(COMBINATIONS[name])
    return WeightsError(f"{file.path} is no {name}: {difference(missing, foreign)}; give a released checkpoint")


def _keys(stages: Stages) -> set[str]:
    with torch.device("meta"):
        return set(StrNet(stages, 1).state_dict())
