"""A trained codec as one file: weights, what they are, and a fingerprint that its .tfic files carry."""

import hashlib
import os
import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from models import codecs
from models.errors import WeightsError

FORMAT = "tfic-model-1"


@dataclass(frozen=True)
class TrainedCodec:
    """A codec ready to compress, and what is known of it."""

    codec: codecs.Codec
    codec_name: str
    recognizer_name: str
    facts: dict[str, float | str]
    """How it was made and what it measured: `lambda`, `beta`, `bpp`, `accuracy`, ..."""

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 over every tensor: two codecs that share it decode alike."""
        digest = hashlib.sha256(self.codec_name.encode())
        for name, tensor in sorted(self.codec.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.digest()

    def save(self, path: Path) -> None:
        """Writes model.pt atomically."""
        content = {
            "format": FORMAT,
            "codec": self.codec_name,
            "recognizer": self.recognizer_name,
            "facts": self.facts,
            "fingerprint": self.fingerprint.hex(),
            "state_dict": {name: tensor.cpu() for name, tensor in self.codec.state_dict().items()},
        }
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            torch.save(content, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def load(path: Path) -> TrainedCodec:
    """The codec that `TrainedCodec.save` wrote, in evaluation mode on the CPU. Nothing in the file is executed.

    Raises:
        WeightsError: the file is missing, is no such file, or is damaged.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise WeightsError(f"{path} is no exported codec; make one with python -m sweep.pick RUN --out {path}")
        codec = codecs.build(content["codec"])
        codec.load_state_dict(content["state_dict"])
        trained = TrainedCodec(codec.eval(), content["codec"], content["recognizer"], content["facts"])
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist; make one with python -m sweep.pick RUN --out {path}") from None
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError):
        raise WeightsError(f"{path} cannot be read as an exported codec; export it again") from None
    if trained.fingerprint.hex() != content["fingerprint"]:
        raise WeightsError(f"{path} is damaged: its weights differ from their fingerprint; export it again")
    return trained
