"""Readings of baselines as a file, so that further sweeps on the data pay nothing."""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

import polars as pl
from PIL import __version__ as pillow

from datagen.files import atomic
from models import sources
from sweep.baselines.points import SCHEMA

logger = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]


def path(folder: Path, kind: str, *parts: object) -> Path:
    """Where readings are kept: in `folder`, by the kind of readings, the code here and Pillow, and all other `parts`
    that decide of them, such as the digest of the data set."""
    files = [file for room in ("models/baselines", "sweep/baselines") for file in (ROOT / room).rglob("*.py")]
    identity = json.dumps((parts, sources.checksum(files, ROOT), pillow))
    return folder / f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.parquet"


def kept(file: Path, measured: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Readings that the file keeps, or else those that are `measured` now and kept there."""
    found = load(file)
    if found is None:
        found = measured()
        save(found, file)
    return found


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
