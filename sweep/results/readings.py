"""readings.parquet: a row a point and test image, with the file's size and what was read, for statistics on top."""

from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import get_type_hints

import polars as pl

from datagen.files import atomic
from sweep.errors import SweepError
from sweep.results.point import Reading

SCHEMA = pl.Schema({"point_id": str, **get_type_hints(Reading)})
LATER = ("repeated", "confidence")
"""Columns that early releases did not write."""


def read(folder: Path) -> pl.DataFrame:
    """The readings of a run's folder; where an early release measured the run, no rows, or null in what came `LATER`.

    Raises:
        SweepError: they cannot be read, or lack a column.
    """
    path = _path(folder)
    if not path.exists():
        return pl.DataFrame(schema=SCHEMA)
    try:
        # A folder's name may hold brackets.
        there = pl.scan_parquet(path, glob=False).collect_schema()
        early = {name: kind for name, kind in SCHEMA.items() if name in there or name not in LATER}
        found = pl.read_parquet(path, schema=early, glob=False)
        return found.select(
            pl.col(name) if name in early else pl.lit(None, SCHEMA[name]).alias(name) for name in SCHEMA
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SweepError(
            f"{path} cannot be read ({error}); restore it, or delete it: the front is then drawn without intervals"
        ) from error


def of_point(frame: pl.DataFrame, point_id: str) -> list[Reading]:
    """The readings of one point, by image, out of those of a run."""
    rows = frame.filter(point_id=point_id).drop("point_id").sort("index")
    return [Reading(**row) for row in rows.iter_rows(named=True)]


def replace(folder: Path, point_id: str, readings: Iterable[Reading]) -> None:
    """Writes the readings of a point in place of those that it had; the file is whole at any time.

    Raises:
        SweepError: the folder's readings cannot be read.
    """
    added = pl.DataFrame([(point_id, *astuple(reading)) for reading in readings], schema=SCHEMA, orient="row")
    others = read(folder).filter(pl.col("point_id") != point_id)
    with atomic(_path(folder)) as partial:
        pl.concat([others, added]).write_parquet(partial)


def _path(folder: Path) -> Path:
    return folder / "readings.parquet"
