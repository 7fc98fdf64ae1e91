"""Files that torch saved: read whole or not at all. What is damaged is set aside; nothing is deleted unread."""

import logging
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch

from sweep.errors import SweepError

logger = logging.getLogger(__name__)

ASIDE = ".damaged"
"""Ends the name of a file that was set aside."""


def load(path: Path) -> Any:
    """What a file that is `kept` holds, on the CPU.

    Raises:
        SweepError: it cannot be opened, or something else wrote it.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # Its reasons run over many lines.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise SweepError(f"{path} is whole but cannot be loaded ({reason}); move it away, or free memory") from error


def kept(path: Path) -> bool:
    """Whether a file is whole; one that is damaged is set aside.

    Raises:
        SweepError: it cannot be read, or not be set aside.
    """
    if _whole(path):
        return True
    set_aside(path)
    return False


def set_aside(path: Path) -> None:
    """Gives a damaged file another name, under which nobody looks for it, and says so.

    Raises:
        SweepError: its folder cannot be written.
    """
    aside = path.with_name(path.name + ASIDE)
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SweepError(f"{path} is damaged and cannot be set aside ({error.strerror}); move it away") from error
    logger.warning("%s is damaged: it is set aside as %s", path, aside.name)


def _whole(path: Path) -> bool:
    """Whether all checksums are right; torch itself looks at none of them."""
    try:
        with ZipFile(path) as archive:
            return archive.testzip() is None
    except FileNotFoundError:
        # Another worker was faster, and has set it aside.
        return False
    except OSError as error:
        raise SweepError(f"{path} cannot be read ({error.strerror})") from error
    except MemoryError:
        raise
    # zipfile raises errors of many kinds where what it reads makes no sense.
    except Exception:
        return False
