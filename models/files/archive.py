"""What a checkpoint's file claims of itself, looked at before it is believed: a few bytes can ask for gigabytes."""

import pickletools
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from models.errors import WeightsError

MADE = re.compile(r"collections OrderedDict|torch\._utils _rebuild_tensor_v2|torch \w+Storage")
"""What a file of tensors, numbers and texts makes when it is read."""
DESCRIPTION_BYTES = 1 << 18
"""At most, of what is neither number nor tensor; that of the largest codec takes 70,000."""
AMPLIFYING = {"EMPTY_SET", "NEWOBJ"}
"""Instructions that a file of tensors, numbers and texts has no use for."""


def check(path: Path) -> None:
    """Looks at an archive as torch.save writes it: each entry as it is, none within another.

    Raises:
        WeightsError: it takes more room in memory than on the disk.
        OSError: it cannot be read.
        zipfile.BadZipFile: it is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or (
        sum(entry.file_size for entry in entries) > path.stat().st_size
    ):
        raise WeightsError(f"{path} asks for more memory than it has bytes; export or download it again")


def check_tensors(path: Path) -> None:
    """Looks whether an archive is sound, as `check` does, and makes nothing but tensors, numbers and texts when read.

    Raises:
        WeightsError: it takes more memory, or makes other things.
        OSError: it cannot be read.
        ValueError: what it describes is damaged.
        zipfile.BadZipFile: it is no archive.
    """
    check(path)
    with zipfile.ZipFile(path) as archive:
        [entry] = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
        if entry.file_size > DESCRIPTION_BYTES:
            raise WeightsError(f"{path} holds {entry.file_size} bytes beside its tensors, which no exported codec has")
        for code, argument, _ in pickletools.genops(archive.read(entry)):
            if code.name in AMPLIFYING or (code.name == "GLOBAL" and not MADE.fullmatch(str(argument))):
                raise WeightsError(f"{path} makes what no exported codec holds ({argument or code.name})")


def check_state(path: Path, state: Mapping[Any, Any]) -> None:
    """Looks at a state dict's tensors.

    Raises:
        WeightsError: one is none, holds fewer numbers than it claims, or such that nothing can be computed with.
    """
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor) or tensor.nbytes > tensor.untyped_storage().nbytes():
            raise WeightsError(f"{path} is damaged: {str(name)[:80]!r} is no whole tensor; export it again")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise WeightsError(f"{path}: {name} is not finite, the codec has diverged; export another point")
