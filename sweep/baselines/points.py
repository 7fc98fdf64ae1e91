"""Readings of single images -> points of the rate-accuracy plane, in both countings of bytes."""

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl

from models.metrics import character_error_rate
from sweep.results import point as results
from sweep.results.point import Identity, Kind, RatePoint, ValidationMetrics
from sweep.results.points import Counting

TEXT = "text-"
"""Begins the names of text curves, such as text-english_g2."""
SCHEMA = pl.Schema(
    {
        "split": pl.String,
        "name": pl.String,
        "setting": pl.String,
        "index": pl.Int64,
        "bytes": pl.Int64,
        "repeated": pl.Int64,
        "read": pl.String,
        "truth": pl.String,
        "accuracy": pl.Float64,
        "confidence": pl.Float64,
        "psnr_db": pl.Float64,
        "encode_ms": pl.Float64,
        "decode_ms": pl.Float64,
    }
)
"""A row a setting and image."""


class Reading(NamedTuple):
    """What was read in one image, and what its file costs."""

    image: int
    """The image's place in its split."""
    bytes: int
    repeated: int
    """Bytes that all files of the batch have in common."""
    read: str
    truth: str
    """As the reader can read it."""
    accuracy: float
    confidence: float | None
    """Probability, 0 to 1, that the reader gives to what it read; None: it gives none."""
    psnr_db: float | None
    """None where no image comes back."""
    encode_ms: float
    decode_ms: float | None


class Point(NamedTuple):
    """A setting of a baseline: means over images."""

    name: str
    """The curve."""
    setting: str
    images: int
    bpp: float
    """Bits of whole files per pixel."""
    bpp_own: float
    """Bits per pixel without repeated bytes."""
    accuracy: float
    psnr_db: float | None
    encode_ms: float
    encode_ms_std: float
    decode_ms: float | None

    def rate(self, counting: Counting) -> float:
        """Bits per pixel."""
        return self.bpp if counting == "whole" else self.bpp_own


def point(name: str, setting: str, readings: Sequence[Reading], pixels: int) -> Point:
    """Means over at least one reading; `pixels` are an image's."""
    return Point(
        name,
        setting,
        len(readings),
        bpp=8 * statistics.fmean(each.bytes for each in readings) / pixels,
        bpp_own=8 * statistics.fmean(each.bytes - each.repeated for each in readings) / pixels,
        accuracy=statistics.fmean(each.accuracy for each in readings),
        psnr_db=_mean(each.psnr_db for each in readings),
        encode_ms=statistics.fmean(each.encode_ms for each in readings),
        encode_ms_std=statistics.pstdev(each.encode_ms for each in readings),
        decode_ms=_mean(each.decode_ms for each in readings),
    )


def rows(frame: pl.DataFrame, pixels: int, seed: int) -> list[results.Point]:
    """What a table of points says of the settings that were measured on test images, in the order of `frame`'s rows.

    Args:
        frame: with the columns of `SCHEMA`.
        pixels: an image's.
        seed: the sweep's.
    """
    found = _readings(frame)
    tested = [key for key in found if key[0] == "test"]
    return [_row(key, found[key], found.get(("val", *key[1:])), pixels, seed) for key in tested]


def _readings(frame: pl.DataFrame) -> dict[tuple[str, ...], list[Reading]]:
    """Readings by split, curve and setting."""
    groups = frame.group_by("split", "name", "setting", maintain_order=True)
    fields = SCHEMA.names()[-len(Reading._fields) :]
    return {tuple(map(str, key)): [Reading(*row) for row in group.select(fields).iter_rows()] for key, group in groups}


def _row(key: tuple[str, ...], test: list[Reading], val: list[Reading] | None, pixels: int, seed: int) -> results.Point:
    _, name, setting = key
    kind: Kind = "text" if name.startswith(TEXT) else "classical"
    return results.Point(
        identity=Identity(f"{name} {setting}", kind, name, seed=seed),
        status="complete",
        test=_rate_point(point(name, setting, test, pixels), test),
        val=None if val is None else _validation(point(name, setting, val, pixels)),
    )


def _rate_point(means: Point, test: list[Reading]) -> RatePoint:
    return RatePoint(
        bpp=means.bpp,
        accuracy=means.accuracy,
        cer=character_error_rate([each.read for each in test], [each.truth for each in test]),
        bpp_own=means.bpp_own,
        psnr_db=means.psnr_db,
        encode_ms=means.encode_ms,
        encode_ms_std=means.encode_ms_std,
        decode_ms=means.decode_ms,
        readings=tuple(
            results.Reading(
                each.image, each.bytes, each.read, each.truth, each.accuracy, each.repeated, each.confidence
            )
            for each in test
        ),
    )


def _validation(means: Point) -> ValidationMetrics:
    return ValidationMetrics(means.bpp, means.accuracy, means.bpp_own, means.psnr_db)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
