"""95 % bootstrap intervals over images: rate and accuracy of points, hypervolume, one curve against another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy.typing import NDArray

from sweep.results import readings
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives, bd_accuracy, bd_rate, hypervolume
from sweep.results.point import Point

RESAMPLES = 2_000
LEVEL = 0.95
Bounds = Mapping[str, Mapping[str, Any]]
"""By a point's id, the row of `of_points`."""


class Interval(NamedTuple):
    """Bounds of a percentile interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """Rate and accuracy of every image at every point; column i is the same image in all rows."""

    ids: tuple[str, ...]
    bpp: Float[NDArray[np.float64], "points images"]
    accuracy: Float[NDArray[np.float64], "points images"]


@dataclass(frozen=True)
class Resampled:
    """Mean rate and accuracy of each point in each resample of the images; row i is the same resample for all points,
    so that differences between points are paired."""

    ids: tuple[str, ...]
    bpp: Float[NDArray[np.float64], "resamples points"]
    accuracy: Float[NDArray[np.float64], "resamples points"]

    def curves(self, ids: Sequence[str]) -> list[list[Objectives]]:
        """The chosen points in each resample."""
        chosen = [self.ids.index(name) for name in ids]
        pairs = np.stack([self.bpp[:, chosen], self.accuracy[:, chosen]], axis=-1)
        return [[Objectives(bpp, accuracy) for bpp, accuracy in curve] for curve in pairs.tolist()]


def measured(rows: pl.DataFrame, pixels: int) -> Measured:
    """Arranges readings by point and image; a point that lacks an image is left out. `pixels` are those of an image."""
    images = rows["index"].n_unique()
    whole = rows.filter(pl.len().over("point_id") == images).sort("point_id", "index")
    shape = (-1, max(1, images))
    ids = tuple(whole["point_id"].unique(maintain_order=True))
    bits = (8 * whole["bytes"] / pixels).to_numpy().reshape(shape)
    return Measured(ids, bits, whole["accuracy"].to_numpy().reshape(shape))


def resample(of: Measured, seed: int = 0, resamples: int = RESAMPLES) -> Resampled:
    """Draws images with replacement, the same for all points, and takes means."""
    images = of.bpp.shape[1]
    counts = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=resamples)
    shares = counts / images
    return Resampled(of.ids, shares @ of.bpp.T, shares @ of.accuracy.T)


def interval(values: Float[NDArray[np.float64], " resamples"]) -> Interval:
    """The middle 95 % of the values."""
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(values, [tail, 100 - tail]).tolist()
    return Interval(low, high)


def of_points(resampled: Resampled) -> pl.DataFrame:
    """Bounds of each point: `point_id`, `bpp_low`, `bpp_high`, `accuracy_low`, `accuracy_high`."""
    columns: dict[str, object] = {"point_id": list(resampled.ids)}
    for name, values in (("bpp", resampled.bpp), ("accuracy", resampled.accuracy)):
        bounds = [interval(column) for column in values.T]
        columns |= {f"{name}_low": [each.low for each in bounds], f"{name}_high": [each.high for each in bounds]}
    kinds = {"point_id": pl.String} | dict.fromkeys(list(columns)[1:], pl.Float64)
    return pl.DataFrame(columns, schema=kinds)


def of_hypervolume(resampled: Resampled, ids: Sequence[str]) -> Interval | None:
    """The interval of the hypervolume of chosen points; None where some have no readings."""
    if not {*ids} <= {*resampled.ids}:
        return None
    return interval(np.array([hypervolume(curve) for curve in resampled.curves(ids)]))


def of_bd_rate(resampled: Resampled, curve: Sequence[str], reference: Sequence[str]) -> Interval | None:
    """The interval of the change of rate at equal accuracy; None where over 5 % of the resamples do not overlap."""
    pairs = zip(resampled.curves(curve), resampled.curves(reference), strict=True)
    return _defined([bd_rate(mine, theirs) for mine, theirs in pairs])


def of_bd_accuracy(resampled: Resampled, curve: Sequence[str], reference: Sequence[str]) -> Interval | None:
    """The interval of the change of accuracy at equal rate; None where over 5 % of the resamples do not overlap."""
    pairs = zip(resampled.curves(curve), resampled.curves(reference), strict=True)
    return _defined([bd_accuracy(mine, theirs) for mine, theirs in pairs])


def _defined(values: Sequence[float | None]) -> Interval | None:
    kept = [value for value in values if value is not None]
    return interval(np.array(kept)) if kept and len(kept) >= LEVEL * len(values) else None


def by_id(run: RunFolder) -> Bounds:
    """Bounds of each point that a run has readings of, by the point's id.

    Raises:
        SweepError: the run's readings cannot be read.
    """
    data = run.config.data
    resampled = resample(measured(readings.read(run.path), data.width * data.height))
    return {row["point_id"]: row for row in of_points(resampled).iter_rows(named=True)}


def shown(point: Point, figure: Literal["bpp", "accuracy"], bounds: Bounds) -> str:
    """A figure of a complete point with its interval: 0.835 (0.801 to 0.866); without, where all images are alike."""
    value, digits = (point.measured.bpp, 4) if figure == "bpp" else (point.measured.accuracy, 3)
    row = bounds.get(point.point_id, {})
    low, high = (row.get(f"{figure}_{end}", value) for end in ("low", "high"))
    within = f" ({low:.{digits}f} to {high:.{digits}f})" if low < high else ""
    return f"{value:.{digits}f}{within}"
