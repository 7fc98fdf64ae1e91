"""How a recognizer reads a data set as it is: what it says, and how right it is by font and by background."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from datagen import dataset, shards
from datagen.dataset import TextImages
from datagen.files import atomic
from datagen.shards import Manifest
from models.metrics import accuracy
from models.recognizers import ensemble
from models.recognizers.base import FrozenRecognizer
from models.recognizers.ensemble import RecognizerConfig
from sweep import versions
from sweep.trials.evaluate import read

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


def readings(
    folder: Path, run: Path, recognizer_config: RecognizerConfig, measured: Callable[[], list[Reading]]
) -> list[Reading]:
    """Those of the training split: `measured` is called where they are missing, then they are kept."""
    _, found = _kept("readings", folder, run, recognizer_config, measured)
    return [Reading(*reading) for reading in found]


def ensure(folder: Path, run: Path, recognizer_config: RecognizerConfig) -> Path:
    """The file that says it of the test split; measured where it is missing.

    It holds, by font and background, how many images there are, and their mean accuracy; the least legible come first.
    """

    def measured() -> dict[str, Any]:
        table = shards.read(folder, "test", BY)
        reader = ensemble.load([recognizer_config])
        scores = [reading.accuracy for reading in measure(dataset.load(folder, "test"), reader)]
        return {name: _by(name, table.with_columns(accuracy=pl.Series(scores))) for name in BY}

    path, _ = _kept("legibility", folder, run, recognizer_config, measured)
    return path


def _kept(
    kind: str, folder: Path, run: Path, recognizer_config: RecognizerConfig, measured: Callable[[], Any]
) -> tuple[Path, Any]:
    """A file beside the manifest, or if nobody may write there in the run's folder, and what was measured.

    It says of what and by what: one of other images, or by another version of the recognizer, is replaced.
    """
    identity = ensemble.identity([recognizer_config])
    number = versions.TABLE["recognizers"].number
    of = {"recognizer": identity, "version": number, "data": Manifest.load(folder).spec.digest()}
    name = f"{kind}-{identity.replace(':', '.')}.json"
    for path in (folder / name, run / name):
        if (found := _found(path, of)) is not None:
            return path, found
    path = (folder if os.access(folder, os.W_OK) else run) / name
    found = measured()
    with atomic(path) as partial:
        partial.write_text(json.dumps({"of": of, "found": found}, indent=2) + "\n")
    return path, found


def _found(path: Path, of: dict[str, Any]) -> Any | None:
    """What a file holds, if it is of that."""
    try:
        content = json.loads(path.read_text())
        return content["found"] if content["of"] == of else None
    # Other versions wrote it otherwise.
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _by(name: str, table: pl.DataFrame) -> dict[str, dict[str, float]]:
    groups = table.drop_nulls(name).group_by(name).agg(pl.len().alias("images"), pl.col("accuracy").mean().round(4))
    return {row.pop(name): row for row in groups.sort("accuracy", name).iter_rows(named=True)}
