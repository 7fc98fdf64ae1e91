"""Readings of baselines as a file, so that further sweeps on the data pay nothing."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from PIL import __version__ as pillow

from datagen.files import atomic
from models import sources
from models.baselines.base import Baseline
from sweep.baselines.points import SCHEMA

logger = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]


def path(folder: Path, data: str, recognizer: str, baselines: Sequence[Baseline], readers: Sequence[str]) -> Path:
    """Where the readings of a data set are kept: in `folder`, by all that decides of them.

    Args:
        data: the data set's digest.
        recognizer: its identity.
        readers: names of held-out readers.
    """
    files = [file for room in ("models/baselines", "sweep/baselines") for file in (ROOT / room).rglob("*.py")]
    settings = [(codec.name, codec.setting) for codec in baselines]
    parts = (data, recognizer, settings, sorted(readers), sources.checksum(files, ROOT), pillow)
    return folder / f"baselines-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.parquet"


def load(file: Path) -> pl.DataFrame | None:
    """Readings that are kept; None where there are none, or none that can be read."""
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        if file.exists():
            logger.warning("%s cannot be read (%s), and is measured again", file, error)
        return None
    return frame if frame.schema == SCHEMA else None


def save(frame: pl.DataFrame, file: Path) -> None:
    """Keeps readings for further sweeps on the data; a folder that cannot be written costs their repetition alone."""
    try:
        with atomic(file) as partial:
            frame.write_parquet(partial)
    except OSError as error:
        logger.warning("%s cannot be written (%s); the next sweep measures the baselines again", file, error.strerror)
