"""How a recognizer reads a data set as it is: what it says, and how right it is by font and by background."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from datagen import dataset, shards
from datagen.dataset import TextImages
from datagen.shards import atomic
from models import teachers
from models.metrics import accuracy
from models.reading import FrozenRecognizer
from models.teachers import Teacher
from sweep.evaluate import read

BY = ("font", "background")


class Reading(NamedTuple):
    """Of an image as it is."""

    text: str
    accuracy: float
    """1 where the image has no text of its own."""


def measure(data: TextImages, reader: FrozenRecognizer) -> list[Reading]:
    """What it reads in each image."""
    said = read(data.images, reader)
    scores = [accuracy(one, reader.as_read(text)) if text else 1.0 for one, text in zip(said, data.texts, strict=True)]
    return [Reading(*pair) for pair in zip(said, scores, strict=True)]


def readings(folder: Path, run: Path, teacher: Teacher, measured: Callable[[], list[Reading]]) -> list[Reading]:
    """Those of the training split: `measured` is called where they are missing, then they are kept."""
    path = _kept(folder, run, f"readings-{_name(teacher)}.json")
    if not path.exists():
        with atomic(path) as partial:
            partial.write_text(json.dumps(measured()))
    return [Reading(*reading) for reading in json.loads(path.read_text())]


def ensure(folder: Path, run: Path, teacher: Teacher) -> Path:
    """The file that says it of the test split; measured where it is missing.

    It holds, by font and background, how many images there are, and their mean accuracy; the least legible come first.
    """
    path = _kept(folder, run, f"legibility-{_name(teacher)}.json")
    if not path.exists():
        table = shards.read(folder, "test", BY)
        reader = teachers.load([teacher])
        scores = [reading.accuracy for reading in measure(dataset.load(folder, "test"), reader)]
        found = {name: _by(name, table.with_columns(accuracy=pl.Series(scores))) for name in BY}
        with atomic(path) as partial:
            partial.write_text(json.dumps(found, indent=2) + "\n")
    return path


def _kept(folder: Path, run: Path, name: str) -> Path:
    """A file beside the manifest; if nobody may write there, in the run's folder."""
    beside = folder / name
    return beside if beside.exists() or os.access(folder, os.W_OK) else run / name


def _name(teacher: Teacher) -> str:
    return teachers.identity([teacher]).replace(":", ".")


def _by(name: str, table: pl.DataFrame) -> dict[str, dict[str, float]]:
    groups = table.drop_nulls(name).group_by(name).agg(pl.len().alias("images"), pl.col("accuracy").mean().round(4))
    return {row.pop(name): row for row in groups.sort("accuracy", name).iter_rows(named=True)}
