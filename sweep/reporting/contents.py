"""What a report is drawn from: a run's points, the readings of single images, and intervals, each read once."""

from dataclasses import dataclass

import polars as pl

from sweep.results import intervals, just_readable, points, readings, spread
from sweep.results.folder import RunFolder
from sweep.results.intervals import Resampled
from sweep.results.just_readable import JustReadable


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
    """95 % intervals of the points and of the just readable files: `point_id`, `bpp_low`, `bpp_high`, `accuracy_low`,
    `accuracy_high`."""
    just_readable: JustReadable | None
    """None where the readings are not kept."""

    @property
    def name(self) -> str:
        """What the run is called in the report."""
        return self.run.path.name

    @property
    def front(self) -> pl.DataFrame:
        """Points of the front, by rising rate."""
        return self.frame.filter("on_front").sort("bpp")

    @property
    def drawn(self) -> pl.DataFrame:
        """The points, and the just readable files as one more."""
        found, said = self.just_readable, {"point_id": just_readable.ID, "kind": just_readable.ID, "status": "complete"}
        rows = [] if found is None else [{**said, "bpp": found.bpp, "accuracy": found.accuracy}]
        return pl.concat([self.frame, pl.DataFrame(rows)], how="diagonal")


def load(run: RunFolder) -> Contents:
    """Reads a run's folder, and resamples the readings.

    Raises:
        SweepError: the points or the readings cannot be read.
    """
    frame, rows = points.read(run.path), readings.read(run.path)
    pixels = run.config.data.width * run.config.data.height
    every = pl.concat([rows, just_readable.files(frame, rows).drop("kept")])
    resampled = intervals.resample(intervals.measured(every, pixels))
    found = just_readable.of_run(frame, rows, pixels)
    return Contents(run, frame, rows, resampled, intervals.of_points(resampled), found)


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
        + "".join(f" {said}" for said in (spread.said(frame), just_readable.said(contents.just_readable)) if said)
    )
