"""Tables of points for tests."""

import polars as pl

from sweep.results.points import SCHEMA, Row, mark_front


def frame(*rows: Row) -> pl.DataFrame:
    """A run's table with these rows; missing columns are null."""
    return mark_front(pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA))
