"""Measures the front with held-out OCR engines, which no codec was trained against."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import UInt8
from numpy.typing import NDArray

from datagen.dataset import TextImages
from models.files import tfic
from models.files.model import TrainedCodec
from models.metrics import mean_accuracy
from models.recognizers import held_out
from sweep.results import export
from sweep.results.point import READER, Point
from sweep.results.points import listed
from sweep.stages.nodes import NodeStore

FEW = 16
"""Images that tell how long all take."""


def columns(readers: Iterable[str]) -> list[str]:
    """The accuracy columns that the table of points has for these readers."""
    return [READER + name for name in readers]


def unread(frame: pl.DataFrame, readers: Iterable[str]) -> list[Point]:
    """Points of the front, and the uncompressed images, that at least one of the readers has not read."""
    wanted = frame.filter(pl.col("on_front") | (pl.col("kind") == "uncompressed"), pl.col("status") == "complete")
    return listed(wanted.filter(pl.any_horizontal(pl.col(columns(readers)).is_null())))


def read(point: Point, readers: list[str], store: NodeStore, data: TextImages) -> dict[str, float]:
    """Accuracy of each installed reader on the reconstructions of a point, by name; texts are compared as they are.

    Args:
        store: the run's.
        data: the test split.

    Raises:
        SweepError: as `export.codec`.
    """
    images = data.images if point.checkpoint is None else _reconstructed(point, store, data.images)
    engines, _ = held_out.opened(())
    here = [name for name in readers if name in engines]
    said = {name: [engines[name].read(image).text for image in images] for name in here}
    return {name: mean_accuracy(texts, data.texts) for name, texts in said.items()}


def seconds(trained: TrainedCodec, readers: Iterable[str], data: TextImages) -> float:
    """Seconds that `read` takes of a point with this codec, as a few of the images tell."""
    started = time.perf_counter()
    engines, _ = held_out.opened(())
    opened, few = time.perf_counter(), data.images[:FEW]
    for image in few:
        restored = tfic.decode(trained, tfic.encode(trained, image))
        for name in readers:
            engines[name].read(restored)
    return opened - started + (time.perf_counter() - opened) * len(data.images) / len(few)


def _reconstructed(
    point: Point, store: NodeStore, images: UInt8[NDArray[Any], "n h w 3"]
) -> UInt8[NDArray[Any], "n h w 3"]:
    trained = TrainedCodec(export.codec(store, point), point.codec, "", {})
    return np.stack([tfic.decode(trained, tfic.encode(trained, image)) for image in images])
