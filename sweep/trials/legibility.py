"""How a recognizer reads a data set that no codec has touched: texts, and accuracy by font and by background."""

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
    """What a recognizer reads in an image that no codec has touched."""

    text: str
    accuracy: float
    """Share of characters read correctly; 1 for an image without a label."""


def measure(data: TextImages, reader: FrozenRecognizer) -> list[Reading]:
    """The readings of all images of a split."""
    said = [each.text for each in read(data.images, reader)]
    scores = [accuracy(one, reader.as_read(text)) if text else 1.0 for one, text in zip(said, data.texts, strict=True)]
    return [Reading(*pair) for pair in zip(said, scores, strict=True)]


def readings(
    folder: Path, run: Path, recognizer_config: RecognizerConfig, measured: Callable[[], list[Reading]]
) -> list[Reading]:
    """The readings of the training split, from the file that keeps them, or from `measured`."""
    _, found = _kept("readings", folder, run, recognizer_config, measured)
    return [Reading(*reading) for reading in found]


def ensure(folder: Path, run: Path, recognizer_config: RecognizerConfig) -> Path:
    """The file that says how legible the test split is; made where it is missing.

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
    """A file beside the manifest, or in the run's folder where nobody may write there, and what was measured.

    The file names its images and its recognizer: a file of other images, or by another version of the recognizer, is
    replaced.
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
    """The content of a file, if the file is about `of`."""
    try:
        content = json.loads(path.read_text())
        return content["found"] if content["of"] == of else None
    # Other versions wrote it otherwise.
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _by(name: str, table: pl.DataFrame) -> dict[str, dict[str, float]]:
    groups = table.drop_nulls(name).group_by(name).agg(pl.len().alias("images"), pl.col("accuracy").mean().round(4))
    return {row.pop(name): row for row in groups.sort("accuracy", name).iter_rows(named=True)}
