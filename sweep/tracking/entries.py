"""What is logged of a training, of a point and of the whole sweep: metrics, params, tags and a table of readings."""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from sweep.results.point import VALIDATION, Point
from sweep.tracking.mlflow_runs import ENDED, FILTERS, FRONT, PARAMS, given
from sweep.training.loop import Progress

UNLOGGED = ("step", "steps", "workers")
"""Fields of a training's progress that are not metrics; charts are drawn over the step."""
DIGITS = 6
"""Significant digits of metrics, which pages show in full; points.parquet has all."""
READINGS = "readings.json"
COLUMNS = ("index", "truth", "read", "accuracy", "confidence", "bytes")
"""The table of a point's readings, an artifact, and the columns."""


def of_point(point: Point, readings: pl.DataFrame) -> dict[str, Any]:
    """Fields of the entry that ends a point; the point is not on the front before another entry says so."""
    columns = point.columns()
    figures = {name.replace(VALIDATION, "val/"): value for name, value in columns.items() if name not in PARAMS}
    table = readings.select(COLUMNS).sort("index").with_columns(pl.col("accuracy", "confidence").round(3))
    return {
        # At step 0, as all that is measured once: MLflow then draws bars of points, and not dots over the steps.
        "metrics": numbers(figures),
        # Once more: MLflow may have failed between a run and its params.
        "params": given(columns, PARAMS),
        "tags": given(columns, (*FILTERS, "status", "reason", "checkpoint")) | {FRONT: "false"},
        "tables": {READINGS: table.to_dict(as_series=False)} if len(table) else {},
        "status": ENDED[point.status],
    }


def terms(prefix: str, progress: Progress) -> dict[str, float]:
    """Loss terms of a training, as metrics below a prefix."""
    return numbers({f"{prefix}/{name}": value for name, value in progress._asdict().items() if name not in UNLOGGED})


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers among values, as metrics."""
    finite = {name: v for name, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}
    return {name: float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for name, v in finite.items()}
