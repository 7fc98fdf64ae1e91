"""Reconstructions of a few test images by points of a run, made once for the page and for the picture of the run."""

import base64
import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from datagen import dataset
from models.files import tfic
from models.metrics import accuracy
from sweep.errors import SweepError
from sweep.reporting.contents import Contents
from sweep.results import export, points
from sweep.results.point import Point

logger = logging.getLogger(__name__)

IMAGES = 5
"""Test images that are shown: the first of the split, whatever they show."""
RATES = 3
"""Pairs of columns of the picture grid: a base point beside the TFIC point of the front nearest in rate."""
QUALITY = 90
"""WebP's, of a thumbnail."""
Images = UInt8[NDArray[Any], "n h w 3"]


class Said(NamedTuple):
    """What was read in an image, and how well."""

    read: str
    accuracy: float


@dataclass(frozen=True)
class Pictures:
    """The first test images, and what points make of them."""

    originals: Images
    restored: dict[str, Images]
    """By point id; without those that have lost their codec, or that another release trained."""
    said: dict[str, list[Said]]
    """By point id, of every point whose readings are kept."""


def of_run(contents: Contents) -> Pictures:
    """The reconstructions by all points of the front and of the base curve."""
    originals = dataset.load(contents.run.data, "test").images[:IMAGES]
    shown = pl.concat([contents.front, points.complete(contents.frame, "base")]).unique("point_id", maintain_order=True)
    restored = dict(_restored(contents, points.listed(shown), originals))
    return Pictures(originals, restored, _said(contents, len(originals)))


def _said(contents: Contents, images: int) -> dict[str, list[Said]]:
    """What was read in the first images. Where nobody has written a text, it is that of the image as it is."""
    first = contents.readings.filter(pl.col("index") < images).sort("point_id", "index")
    plain = points.complete(contents.frame, "uncompressed").select("point_id").join(first, on="point_id")
    texts = dict(plain.select("index", "read").iter_rows())
    found = dict[str, list[Said]]()
    for key, index, read, truth in first.select("point_id", "index", "read", "truth").iter_rows():
        found.setdefault(key, []).append(Said(read, accuracy(read, truth or texts.get(index, ""))))
    return found


def _restored(contents: Contents, shown: Iterable[Point], originals: Images) -> Iterable[tuple[str, Images]]:
    for point in shown:
        try:
            trained = export.trained(contents.run, point)
        except SweepError as error:
            logger.warning("the reconstructions of %s are not drawn: %s", point.point_id, error)
            continue
        images = [tfic.decode(trained, tfic.encode(trained, image)) for image in originals]
        yield point.point_id, np.stack(images)


def pairs(contents: Contents) -> list[tuple[str, str]]:
    """Points at like rates, with titles: base points spread over their curve, each before the nearest TFIC point of
    the front."""
    front = contents.front.filter(kind="tfic")
    base = points.complete(contents.frame, "base")
    if front.is_empty() or base.is_empty():
        return []
    chosen = sorted({round(i * (len(base) - 1) / max(1, RATES - 1)) for i in range(RATES)})
    found = list[tuple[str, str]]()
    for key, bpp in base[chosen].select("point_id", "bpp").iter_rows():
        near, rate = front.sort((pl.col("bpp") / bpp).log().abs()).select("point_id", "bpp").row(0)
        found += [(f"base, {bpp:.3f} bpp", key), (f"TFIC, {rate:.3f} bpp", near)]
    return found


def thumbnail(image: UInt8[NDArray[Any], "h w 3"]) -> str:
    """An image as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
