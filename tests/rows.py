"""Points for tests, by column."""

from typing import Any

import polars as pl

from sweep.results.point import Point
from sweep.results.points import SCHEMA, mark_front

MEASURED = {"cer": 0.5, "ocr_ms": 9.0, "ocr_ms_std": 1.0}
"""Columns that no measured point lacks."""


def _filled(columns: dict[str, Any]) -> dict[str, Any]:
    measured = MEASURED if columns.get("accuracy") is not None else {}
    return dict.fromkeys(SCHEMA) | measured | columns


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """A run's table with these rows; missing columns are null."""
    return mark_front(pl.DataFrame([_filled(row) for row in rows], schema=SCHEMA))


def point(**columns: Any) -> Point:
    """A point with these columns, and null in all others."""
    return Point.of(_filled(columns))
