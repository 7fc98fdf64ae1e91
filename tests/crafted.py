"""Models and files as somebody with bad intentions writes them."""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from models.files.model import Stop
from models.fingerprint import fingerprint


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A model's file with other content, whose fingerprint is right for it."""
    content = torch.load(path, weights_only=True)
    change(content)
    identity = content["codec"]
    # Stops of another kind are refused before anything is compared.
    with suppress(TypeError):
        identity += f" {tuple(Stop(*stop) for stop in content['path'])}" if "path" in content else ""
    content["fingerprint"] = fingerprint(str(identity), content["state_dict"]).hex()
    torch.save(content, path)
    return path


def repacked(path: Path, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """An archive with other entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, change(name, data))
    return path
