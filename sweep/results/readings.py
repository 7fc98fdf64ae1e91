"""readings.parquet: a row a point and image, with the file's size and what was read, for statistics of one's own."""

from pathlib import Path
from typing import Literal

import polars as pl

from datagen.files import atomic
from sweep.errors import SweepError

SCHEMA = pl.Schema(
    {
        "point_id": pl.String,
        "split": pl.String,
        "index": pl.Int64,
        "bytes": pl.Int64,
        "repeated_bytes": pl.Int64,
        "read": pl.String,
        "truth": pl.String,
        "accuracy": pl.Float64,
        "confidence": pl.Float64,
    }
)
"""`index` counts the images of the split; `bytes` are of the whole file, `repeated_bytes` those of them that the
container repeats in every file; `confidence` is null where the recognizer gives none."""
Split = Literal["val", "test"]


def read(folder: Path) -> pl.DataFrame:
    """The readings of a run's folder; no rows where an early release measured the run.

    Raises:
        SweepError: they cannot be read, or lack a column.
    """
    path = _path(folder)
    if not path.exists():
        return pl.DataFrame(schema=SCHEMA)
    try:
        # A folder's name may hold brackets.
        return pl.read_parquet(path, glob=False).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SweepError(
            f"{path} cannot be read ({error}); restore it, or delete it: the report is then drawn without intervals"
        ) from error


def replace(folder: Path, rows: pl.DataFrame) -> None:
    """Writes rows in place of those that the same points had of the same splits; the file is whole at any time.

    Raises:
        SweepError: the folder's readings cannot be read, or a row stands there twice.
    """
    added = rows.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    key = ["point_id", "split", "index"]
    twice = added.filter(added.select(key).is_duplicated())
    if len(twice):
        raise SweepError(f"readings name {dict(zip(key, twice.row(0), strict=False))} twice; give each image once")
    others = read(folder).join(added, on=["point_id", "split"], how="anti")
    with atomic(_path(folder)) as partial:
        pl.concat([others, added]).write_parquet(partial)


def _path(folder: Path) -> Path:
    return folder / "readings.parquet"
