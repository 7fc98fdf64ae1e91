"""Files of weights that a user brings: named by what they hold, read without running anything."""

import hashlib
import zipfile
from collections.abc import Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor

from models.errors import WeightsError
from models.files import archive


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
            raise WeightsError(f"{path} cannot be read ({error.strerror}); give a checkpoint's file") from error

    def read(self) -> Any:
        """What it holds.

        Raises:
            WeightsError: it is missing or has changed, or is no checkpoint.
        """
        if WeightsFile.of(Path(self.path)) != self:
            raise WeightsError(
                f"{self.path} has changed (sha256 was {self.sha256[:12]}…); restore it, or start another run"
            )
        try:
            # Older checkpoints are no archives.
            if zipfile.is_zipfile(self.path):
                archive.check(Path(self.path))
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except WeightsError:
            raise
        # torch's reader raises whatever it likes on another file, for reasons that run over many lines.
        except Exception as error:
            raise WeightsError(f"{self.path} cannot be read as a checkpoint; download it again") from error

    def tensors(self, content: Any) -> dict[str, Tensor]:
        """A state dict that it holds, without the prefix of networks that several GPUs share.

        Raises:
            WeightsError: this is none.
        """
        if not _is_state_dict(content):
            raise WeightsError(f"{self.path} holds no state dict of tensors; give a released checkpoint")
        return {key.removeprefix("module."): value for key, value in content.items()}


def _is_state_dict(content: Any) -> TypeGuard[dict[str, Tensor]]:
    if not isinstance(content, dict):
        return False
    items = cast("dict[object, object]", content).items()
    return all(isinstance(key, str) and isinstance(value, Tensor) for key, value in items)


def sha256_of(path: Path) -> str:
    """Checksum of a file, hexadecimal; taken once while it stays as it is."""
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)


@cache
def _sha256(path: Path, modified: int, size: int) -> str:
    del modified, size
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def difference(missing: Set[str], foreign: Set[str]) -> str:
    """Names that a checkpoint lacks, and others that it has, in few words."""
    said = [f"{what} {_brief(names)}" for what, names in (("lacks", missing), ("has also", foreign)) if names]
    return f"it {' and '.join(said)}"


def _brief(names: Set[str]) -> str:
    first, more = min(names), len(names) - 1
    return f"{first} and {more} more" if more else first
