"""Readings of single images -> points of the rate-accuracy plane, in both countings of bytes."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import polars as pl

from sweep.results.pareto import Objectives, on_front

Counting = Literal["whole", "own"]
"""Whole files, or files without the bytes that a container repeats in every file of a batch."""
COUNTINGS: tuple[Counting, ...] = ("whole", "own")
SCHEMA = pl.Schema(
    {
        "split": pl.String,
        "name": pl.String,
        "setting": pl.String,
        "index": pl.Int64,
        "bytes": pl.Int64,
        "repeated": pl.Int64,
        "read": pl.String,
        "accuracy": pl.Float64,
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
    accuracy: float
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

    def objectives(self, counting: Counting) -> Objectives:
        """The point's place in the plane."""
        return Objectives(self.rate(counting), self.accuracy)


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


def points(readings: pl.DataFrame, split: str, pixels: int) -> list[Point]:
    """Each setting of a split, in the order of the rows."""
    rows = readings.filter(pl.col("split") == split)
    groups = rows.group_by("name", "setting", maintain_order=True)
    fields = SCHEMA.names()[-len(Reading._fields) :]
    return [
        point(str(name), str(setting), [Reading(*row) for row in group.select(fields).iter_rows()], pixels)
        for (name, setting), group in groups
    ]


def front(found: Sequence[Point], counting: Counting) -> list[Point]:
    """The points that no other dominates, by rising rate."""
    kept = on_front([each.objectives(counting) for each in found])
    return sorted((each for each, keep in zip(found, kept, strict=True) if keep), key=lambda each: each.rate(counting))


def envelope(validation: Sequence[Point], test: Sequence[Point], counting: Counting) -> list[Point]:
    """Test figures of the settings that make the front on validation images, by rising rate.

    They need not rise everywhere: nothing was chosen by looking at the test images.
    """
    chosen = {(each.name, each.setting) for each in front(validation, counting)}
    kept = (each for each in test if (each.name, each.setting) in chosen)
    return sorted(kept, key=lambda each: each.rate(counting))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
