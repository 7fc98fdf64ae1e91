"""How much chance is in the points of a sweep: what differs between trainings from several seeds."""

import polars as pl

from sweep.results import points
from sweep.results.pareto import hypervolume

TRAINED_AS = ("lambda", "beta", "distortion_weight", "learning_rate", "stage1_steps", "stage2_steps")
"""Columns that points have in common which differ in the seed alone."""


def of_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Points that several seeds trained, by rising rate: what they have in common, then `seeds`, and means and standard
    deviations of `bpp` and `accuracy` on the test images."""
    means = pl.col("bpp", "accuracy").mean()
    deviations = pl.col("bpp", "accuracy").std().name.suffix("_std")
    found = points.complete(frame, "tfic").group_by(TRAINED_AS).agg(pl.len().alias("seeds"), means, deviations)
    return found.filter(pl.col("seeds") > 1).sort("bpp")


def hypervolumes(frame: pl.DataFrame) -> list[float]:
    """The hypervolume of each seed's points, among those points that every seed trained."""
    repeated = of_points(frame)
    common = repeated.filter(pl.col("seeds") == pl.col("seeds").max()).select(TRAINED_AS)
    rows = points.complete(frame, "tfic").join(common, on=TRAINED_AS, how="semi", nulls_equal=True)
    return [hypervolume(points.objectives(each)) for each in rows.sort("seed").partition_by("seed")]


def said(frame: pl.DataFrame) -> str:
    """The spread in a sentence; nothing where one seed trained all."""
    between = of_points(frame)
    if between.is_empty():
        return ""
    volumes = hypervolumes(frame)
    accuracy, rate = between["accuracy_std"].mean(), (between["bpp_std"] / between["bpp"]).mean()
    return (
        f"Between {len(volumes)} seeds, the accuracy of a point differs by {accuracy:.3f} and the rate by "
        f"{100 * rate:.1f} % (standard deviations, means over {len(between)} points); the hypervolume of those points "
        f"is {min(volumes):.4f} to {max(volumes):.4f}."
    )
