"""What a report is drawn from: a run's points, the readings of single images, and intervals, each read once."""

from dataclasses import dataclass

import polars as pl

from sweep.results import intervals, points, readings, spread
from sweep.results.folder import RunFolder
from sweep.results.intervals import Resampled


@dataclass(frozen=True)
class Contents:
    """A run as it was found."""

    run: RunFolder
    frame: pl.DataFrame
    """Rows of points.parquet, in the order of arrival."""
    readings: pl.DataFrame
    """Rows of readings.parquet; none where an early release measured the run."""
    resampled: Resampled
    bounds: pl.DataFrame
    """95 % intervals of the points: `point_id`, `bpp_low`, `bpp_high`, `accuracy_low`, `accuracy_high`."""

    @property
    def name(self) -> str:
        """What the run is called in the report."""
        return self.run.path.name

    @property
    def front(self) -> pl.DataFrame:
        """Points of the front, by rising rate."""
        return self.frame.filter("on_front").sort("bpp")


def load(run: RunFolder) -> Contents:
    """Reads a run's folder, and resamples the readings.

    Raises:
        SweepError: the points or the readings cannot be read.
    """
    rows, data = readings.read(run.path), run.config.data
    resampled = intervals.resample(intervals.measured(rows, data.width * data.height))
    return Contents(run, points.read(run.path), rows, resampled, intervals.of_points(resampled))


def summary(contents: Contents) -> str:
    """The run in a few sentences."""
    frame, found = contents.frame, points.front_summary(contents.frame)
    volume = intervals.of_hypervolume(contents.resampled, contents.front["point_id"].to_list())
    uncompressed = found["uncompressed_accuracy"]
    stopped = frame.filter(status="stopped").height
    best = max((point["accuracy"] for point in found["front"]), default=0.0)
    return (
        f"{len(points.complete(frame, 'tfic'))} TFIC and {len(points.complete(frame, 'base'))} base points, "
        f"{len(found['front'])} on the front. Best accuracy {best:.3f}"
        + (f", {stopped} stopped on their way" if stopped else "")
        + (f", uncompressed {uncompressed:.3f}" if uncompressed is not None else "")
        + f". Hypervolume {found['hypervolume']:.4f}"
        + (f" ({volume.low:.4f} to {volume.high:.4f} with 95 % confidence)" if volume else "")
        + f", of the base curve alone {found['hypervolume_base']:.4f}."
        + (f" {said}" if (said := spread.said(frame)) else "")
    )
