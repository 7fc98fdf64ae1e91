"""How far the recognizer's confidence can be trusted: beside its accuracy, and where it is sure of a wrong one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from sweep.reporting import error_plots
from sweep.reporting.contents import Contents
from sweep.reporting.curves import BLUE, VERMILION, Curve
from sweep.reporting.tables import Table
from sweep.results import misreadings, points

BINS = 10
"""Of equal width, from 0 to 1."""
SURE = 0.9
"""Confidence from which on a reading counts as sure."""
FEW = 5
"""Readings of which a share is drawn at least: of fewer it tells nothing."""
WRONG = "of these, with a wrong character"


def of_run(contents: Contents) -> pl.DataFrame:
    """The readings of the uncompressed images and of the front that have a text and a confidence, as
    `misreadings.compared` gives them, with `right`: whether all letters and digits are, and nothing else is there."""
    plain = points.complete(contents.frame, "uncompressed")["point_id"].head(1)
    shown = [*plain, *contents.front["point_id"]]
    rows = misreadings.compared(contents.readings.filter(pl.col("point_id").is_in(shown)).drop_nulls("confidence"))
    return rows.with_columns(right=pl.col("accuracy") == 1)


def bins(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each point and bin of confidences: `readings`, mean `confidence`, and the share of readings that are `right`.

    Args:
        rows: as `of_run` gives them.
    """
    place = (pl.col("confidence") * BINS).floor().clip(0, BINS - 1) / BINS
    groups = rows.group_by("point_id", place.alias("from"))
    counted = groups.agg(pl.len().alias("readings"), pl.col("confidence", "right").mean())
    return counted.sort("point_id", "from")


def totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each point: `readings`, mean `confidence`, share `right`, the expected calibration error `ece`; the share of
    readings that the recognizer is `sure` of, and of these the share that is `misread`: that has a substitution.

    The error is |right - confidence|, averaged over readings in their bins (Guo et al., ICML 2017). `misread` is null
    where the recognizer is sure of nothing.
    """
    gap = (pl.col("right") - pl.col("confidence")).abs()
    errors = bins(rows).group_by("point_id").agg(ece=(gap * pl.col("readings")).sum() / pl.col("readings").sum())
    sure = pl.col("confidence") >= SURE
    means = rows.group_by("point_id").agg(
        pl.len().alias("readings"),
        pl.col("confidence", "right").mean(),
        sure.mean().alias("sure"),
        (pl.col("substitutions") > 0).filter(sure).mean().alias("misread"),
    )
    return means.join(errors, on="point_id")


def reliability(contents: Contents, rows: pl.DataFrame) -> list[Curve]:
    """What is right over confidence, by bins: of the uncompressed images, and of a few points along the front."""
    tables, errors = bins(rows), dict(totals(rows).select("point_id", "ece").iter_rows())
    series = zip(error_plots.chosen(contents).items(), error_plots.SERIES, strict=False)
    enough = tables.filter(pl.col("readings") >= FEW)
    drawn = [
        Curve(
            name=f"{name} (ECE {errors[key]:.2f})",
            points=enough.filter(point_id=key),
            color=color,
            marker=marker,
            dash="solid",
            x="confidence",
            y="right",
        )
        for (key, name), (color, marker) in series
        if key in errors
    ]
    return [curve for curve in drawn if len(curve.points)]


def over_rate(contents: Contents, rows: pl.DataFrame) -> list[Curve]:
    """How much the recognizer is sure of along the front, and how much of that is misread; dashed, uncompressed."""
    found = totals(rows)
    enough = found.filter(pl.col("sure") * pl.col("readings") >= FEW)
    curves = [
        *_over_rate(
            contents, found, "sure", Curve(name=f"confidence ≥ {SURE}", points=found, color=BLUE, marker="square")
        ),
        *_over_rate(contents, enough, "misread", Curve(name=WRONG, points=enough, color=VERMILION, marker="circle")),
    ]
    return [curve for curve in curves if len(curve.points)]


def _over_rate(contents: Contents, found: pl.DataFrame, y: str, look: Curve) -> Iterator[Curve]:
    plain = points.complete(contents.frame, "uncompressed").head(1)
    shares = found.select("point_id", y)
    front, level = (rows.join(shares, on="point_id", maintain_order="left") for rows in (contents.front, plain))
    yield replace(look, points=front, dash="solid", y=y)
    yield replace(look, name=f"{look.name}, uncompressed", points=level, marker=None, dash="dash", y=y, level=True)


def table(contents: Contents, rows: pl.DataFrame) -> Table:
    """The figures of the points that `reliability` draws."""
    found = {row["point_id"]: row for row in totals(rows).iter_rows(named=True)}
    named = [(name, found[key]) for key, name in error_plots.chosen(contents).items() if key in found]
    columns = ["", "readings", "mean confidence", "read right", "ECE", f"confidence ≥ {SURE}", WRONG]
    return {"columns": columns, "rows": [[name, *_figures(row)] for name, row in named]}


def _figures(row: dict[str, Any]) -> list[Any]:
    sure = round(row["sure"] * row["readings"])
    wrong = f"{row['misread']:.1%} ({round(row['misread'] * sure)} of {sure})" if sure else "–"
    shares = [f"{row[name]:.1%}" for name in ("confidence", "right", "sure")]
    return [row["readings"], *shares[:2], f"{row['ece']:.3f}", shares[2], wrong]
