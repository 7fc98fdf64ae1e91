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
UNKNOWN = pl.lit(None, pl.Int64)


def read(folder: Path) -> pl.DataFrame:
    """The readings of a run's folder; where an early release measured the run, no rows, or unknown repeated bytes.

    Raises:
        SweepError: they cannot be read, or lack a column.
    """
    path = _path(folder)
    if not path.exists():
        return pl.DataFrame(schema=SCHEMA)
    try:
        # A folder's name may hold brackets.
        if "repeated" in pl.scan_parquet(path, glob=False).collect_schema():
            return pl.read_parquet(path, schema=SCHEMA, glob=False)
        early = {name: kind for name, kind in SCHEMA.items() if name != "repeated"}
        return pl.read_parquet(path, schema=early, glob=False).with_columns(repeated=UNKNOWN)
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
