"""readings.parquet: a row a point and test image, with the file's size and what was read, for statistics on top.

While a sweep runs, its last points lie in files of their own: a large table is not written again for each point.
"""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import get_type_hints
from urllib.parse import quote

import polars as pl

from datagen.files import atomic
from sweep.errors import SweepError
from sweep.results.point import Reading

SCHEMA = pl.Schema({"point_id": str, **get_type_hints(Reading)})
CELLS = attrgetter(*(each.name for each in fields(Reading)))
"""The values of a reading, in the order of the columns."""
LATER = ("repeated", "confidence")
"""Columns that early releases did not write."""
PARTS = Path("tune", "readings")
"""Where in a run's folder the points lie that readings.parquet does not hold yet, a file each."""
MERGED_AT = 8
"""Bytes in readings.parquet for each byte beside it, at most: what a sweep writes grows with its points, not with their
square."""


def read(folder: Path) -> pl.DataFrame:
    """The readings of a run's folder; where an early release measured the run, no rows, or null in what came `LATER`.

    Raises:
        SweepError: they cannot be read, or lack a column.
    """
    merged, parts = _table(_path(folder)), [_table(part) for part in _parts(folder)]
    if not parts:
        return merged
    added = pl.concat(parts)
    return pl.concat([merged.filter(~pl.col("point_id").is_in(added["point_id"].implode())), added])


def _table(path: Path) -> pl.DataFrame:
    """The rows of one file; none where there is no file."""
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
    """Writes the readings of a point in place of those that it had; each file is whole at any time.

    Raises:
        SweepError: the folder's readings cannot be read.
    """
    part = folder / PARTS / f"{quote(point_id, safe='')}.parquet"
    part.parent.mkdir(parents=True, exist_ok=True)
    with atomic(part) as partial:
        table(point_id, readings).write_parquet(partial)
    if MERGED_AT * sum(map(_size, _parts(folder))) >= _size(_path(folder)):
        merge(folder)


def table(point_id: str, readings: Iterable[Reading]) -> pl.DataFrame:
    """The rows of one point."""
    # `astuple` would copy each value.
    return pl.DataFrame([(point_id, *CELLS(reading)) for reading in readings], schema=SCHEMA, orient="row")


def merge(folder: Path) -> None:
    """Brings all points into readings.parquet.

    Raises:
        SweepError: the folder's readings cannot be read.
    """
    if parts := _parts(folder):
        whole = read(folder)
        with atomic(_path(folder)) as partial:
            whole.write_parquet(partial)
        for part in parts:
            part.unlink(missing_ok=True)


def _parts(folder: Path) -> list[Path]:
    """The points beside readings.parquet, in the order in which they came."""
    return sorted((folder / PARTS).glob("*.parquet"), key=lambda part: part.stat().st_mtime_ns)


def _size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def _path(folder: Path) -> Path:
    return folder / "readings.parquet"
