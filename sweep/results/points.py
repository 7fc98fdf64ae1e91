"""points.parquet: a row a rate-accuracy point, written whole each time one arrives."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from datagen.files import atomic
from sweep.errors import SweepError
from sweep.results.pareto import Objectives, front, hypervolume, on_front

SCHEMA = pl.Schema(
    {
        "point_id": pl.String,
        "kind": pl.String,
        "codec": pl.String,
        "lambda": pl.Float64,
        "beta": pl.Float64,
        "distortion_weight": pl.Float64,
        "learning_rate": pl.Float64,
        "seed": pl.Int64,
        "stage1_steps": pl.Int64,
        "stage2_steps": pl.Int64,
        "bpp": pl.Float64,
        "bpp_payload": pl.Float64,
        "bpp_estimated": pl.Float64,
        "accuracy": pl.Float64,
        "cer": pl.Float64,
        "psnr_db": pl.Float64,
        "accuracy_tesseract": pl.Float64,
        "accuracy_rapidocr": pl.Float64,
        "encode_ms": pl.Float64,
        "encode_ms_std": pl.Float64,
        "decode_ms": pl.Float64,
        "ocr_ms": pl.Float64,
        "ocr_ms_std": pl.Float64,
        "train_seconds": pl.Float64,
        "val_bpp": pl.Float64,
        "val_accuracy": pl.Float64,
        "val_psnr_db": pl.Float64,
        "status": pl.String,
        "on_front": pl.Boolean,
        "checkpoint": pl.String,
        "mlflow_run_id": pl.String,
        "reason": pl.String,
    }
)
OTHERS = "accuracy_"
"""Prefix of the accuracy columns of all readers but the first recognizer: held-out engines, and recognizers that teach
beside the first."""
Row = dict[str, Any]
"""Values by column; a missing column is null."""


class PointTable:
    """The points of one run, in memory and in its folder."""

    def __init__(self, folder: Path) -> None:
        """Reads what the folder holds.

        Raises:
            SweepError: points.parquet cannot be read.
        """
        self._folder = folder
        self.frame = pl.DataFrame(schema=SCHEMA)
        if self._path.exists():
            self.frame = read(folder)

    @property
    def _path(self) -> Path:
        return self._folder / "points.parquet"

    def add(self, row: Row) -> None:
        """Adds a point, or replaces the one of the same id; then writes points.parquet and front.json."""
        others = self.frame.filter(pl.col("point_id") != row["point_id"])
        schema = _schema(row)
        added = pl.DataFrame([{name: row.get(name) for name in schema}], schema=schema)
        self.frame = mark_front(pl.concat([others, added], how="diagonal"))
        self._write()

    def update(self, point_id: str, values: Row) -> None:
        """Sets columns of a point; then writes both files."""
        at = pl.col("point_id") == point_id
        changes = {name: pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)) for name, value in values.items()}
        self.frame = self.frame.with_columns(**changes)
        self._write()

    def _write(self) -> None:
        with atomic(self._path) as partial:
            self.frame.write_parquet(partial)
        with atomic(self._folder / "front.json") as partial:
            partial.write_text(json.dumps(front_summary(self.frame), indent=2) + "\n")

    def of(self, kind: str, *statuses: str) -> pl.DataFrame:
        """The points of one kind, with one of the statuses where any is named."""
        rows = self.frame.filter(pl.col("kind") == kind)
        return rows.filter(pl.col("status").is_in(statuses)) if statuses else rows


def read(folder: Path) -> pl.DataFrame:
    """The points of a run's folder.

    Raises:
        SweepError: the folder holds none, or they cannot be read.
    """
    path = folder / "points.parquet"
    try:
        # A folder's name may hold brackets.
        names = pl.scan_parquet(path, glob=False).collect_schema()
        return pl.read_parquet(path, schema=_schema(names), missing_columns="insert", glob=False)
    except FileNotFoundError as error:
        raise SweepError(
            f"{path} does not exist; {folder} is no run's folder, or its first point is not done"
        ) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SweepError(
            f"{path} cannot be read ({error}); restore it, or move the run away and start again"
        ) from error


def _schema(names: Iterable[str]) -> dict[str, Any]:
    """The schema of the table, extended by the columns of readers among these names."""
    return dict(SCHEMA) | {name: pl.Float64() for name in names if name.startswith(OTHERS)}


def readings(frame: pl.DataFrame) -> list[str]:
    """The accuracy columns of other readers, as far as they hold anything."""
    return [name for name in frame.columns if name.startswith(OTHERS) and frame[name].count()]


def mark_front(frame: pl.DataFrame) -> pl.DataFrame:
    """Recomputes `on_front` over the complete points of trained codecs."""
    candidates = frame.filter(pl.col("kind").is_in(["tfic", "base"]), pl.col("status") == "complete")
    kept = on_front(objectives(candidates))
    ids = [key for key, keep in zip(candidates["point_id"], kept, strict=True) if keep]
    return frame.with_columns(on_front=pl.col("point_id").is_in(ids))


def objectives(frame: pl.DataFrame) -> list[Objectives]:
    """Rate and accuracy of each row, as points of the plane."""
    return [Objectives(*pair) for pair in frame.select("bpp", "accuracy").iter_rows()]


def complete(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The finished points of one kind, by rising rate."""
    return frame.filter(pl.col("kind") == kind, pl.col("status") == "complete").sort("bpp")


def envelope(frame: pl.DataFrame) -> list[Objectives]:
    """The front of the codecs that need no training, by rising rate."""
    return front(objectives(complete(frame, "classical")))


def uncompressed_accuracy(frame: pl.DataFrame) -> float | None:
    """Accuracy of the recognizer on the uncompressed images; None until that is measured."""
    rows = complete(frame, "uncompressed")["accuracy"]
    return rows[0] if len(rows) else None


def front_summary(frame: pl.DataFrame) -> Row:
    """The content of front.json: the front by rising rate, and hypervolumes."""
    kept = frame.filter("on_front").sort("bpp")
    columns = ["point_id", "kind", "lambda", "beta", "bpp", "accuracy", *readings(kept), "psnr_db", "checkpoint"]
    return {
        "uncompressed_accuracy": uncompressed_accuracy(frame),
        "hypervolume": hypervolume(objectives(kept)),
        "hypervolume_base": hypervolume(objectives(complete(frame, "base"))),
        "hypervolume_classical": hypervolume(envelope(frame)),
        "front": kept.select(columns).to_dicts(),
    }
