"""Checkpoints of the four-stage framework: files that a user brings, checked and loaded without running anything."""

import hashlib
import pickle
import string
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from models.errors import WeightsError
from models.str_net import COMBINATIONS, Stages, StrNet

ALPHANUMERIC = string.digits + string.ascii_lowercase
PRINTABLE = string.digits + string.ascii_letters + string.punctuation
CHARACTERS = {len(characters): characters for characters in (ALPHANUMERIC, PRINTABLE)}
"""The published character sets by size, 36 and 94; `characters[i]` follows the classes of blank, or [GO] and [s]."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A checkpoint; equal wherever it lies, if it holds the same bytes."""

    path: str = field(compare=False)
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "WeightsFile":
        """The file as it is now.

        Raises:
            WeightsError: it cannot be read.
        """
        try:
            return cls(str(path.absolute()), sha256_of(path))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read ({error.strerror}); give a checkpoint's file") from None


def sha256_of(path: Path) -> str:
    """Checksum of a file, hexadecimal; taken once while it stays as it is."""
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)


@cache
def _sha256(path: Path, modified: int, size: int) -> str:
    del modified, size
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(name: str, file: WeightsFile) -> tuple[StrNet, str]:
    """The network of a combination with a checkpoint's weights, and its characters.

    Raises:
        WeightsError: the file has changed or is missing, holds no weights, or those of another network.
    """
    state, stages = _read(file), COMBINATIONS[name]
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
    except RuntimeError:
        raise WeightsError(f"{file.path}: shapes differ from the published {name}'s; give a released one") from None
    return network, characters


def _read(file: WeightsFile) -> dict[str, Tensor]:
    path = Path(file.path)
    if WeightsFile.of(path) != file:
        raise WeightsError(f"{path} has changed (sha256 was {file.sha256[:12]}…); restore it, or start another run")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError):
        # torch's own reasons run over many lines.
        raise WeightsError(f"{path} cannot be read as a checkpoint; download it again") from None
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no state dict of tensors; give a released checkpoint")
    return {key.removeprefix("module."): value for key, value in content.items()}


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
    said = [f"{what} {_brief(keys)}" for what, keys in (("lacks", missing), ("has also", foreign)) if keys]
    return WeightsError(f"{file.path} is no {name}: it {' and '.join(said)}; give a released checkpoint")


def _keys(stages: Stages) -> set[str]:
    with torch.device("meta"):
        return set(StrNet(stages, 1).state_dict())


def _brief(keys: set[str]) -> str:
    first, more = min(keys), len(keys) - 1
    return f"{first} and {more} more" if more else first
