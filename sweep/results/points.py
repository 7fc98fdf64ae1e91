"""points.parquet: a row a rate-accuracy point, written whole each time one arrives."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import polars as pl

from datagen.files import atomic
from sweep.errors import SweepError
from sweep.results import point, readings
from sweep.results.pareto import Objectives, hypervolume, on_front
from sweep.results.point import READER, VALIDATION, Columns, Kind, Point, Status

SCHEMA = pl.Schema({**point.schema(), "on_front": bool})


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
        self.summary = front_summary(self.frame)
        """The content of front.json."""

    @property
    def _path(self) -> Path:
        return self._folder / "points.parquet"

    def add(self, point: Point) -> None:
        """Adds a point, or replaces the one of that id; then writes readings.parquet, points.parquet and front.json."""
        if point.test is not None and point.test.readings:
            readings.replace(self._folder, point.point_id, point.test.readings)
        others = self.frame.filter(pl.col("point_id") != point.point_id)
        row = point.columns()
        schema = _schema(row)
        added = pl.DataFrame([{name: row.get(name) for name in schema}], schema=schema)
        # In one piece: else each point would leave a piece more, and whatever is asked of the table would slow down.
        self.frame = mark_front(pl.concat([others, added], how="diagonal", rechunk=True))
        self.write()

    def update(self, point_id: str, values: Columns) -> None:
        """Sets columns of a point; then writes points.parquet and front.json."""
        self.note(point_id, values)
        self.write()

    def note(self, point_id: str, values: Columns) -> None:
        """Sets columns of a point, which the files have once the next point comes, or `write` is called."""
        at = pl.col("point_id") == point_id
        changes = {name: pl.when(at).then(pl.lit(value)).otherwise(pl.col(name)) for name, value in values.items()}
        self.frame = self.frame.with_columns(**changes)

    def write(self) -> None:
        """Writes points.parquet and front.json."""
        self.summary = front_summary(self.frame)
        with atomic(self._path) as partial:
            self.frame.write_parquet(partial)
        with atomic(self._folder / "front.json") as partial:
            partial.write_text(json.dumps(self.summary, indent=2) + "\n")

    def of(self, kind: Kind, *statuses: Status) -> list[Point]:
        """The points of one kind, with one of the statuses where any is named."""
        rows = self.frame.filter(pl.col("kind") == kind)
        return listed(rows.filter(pl.col("status").is_in(statuses)) if statuses else rows)


def listed(frame: pl.DataFrame) -> list[Point]:
    """The points of a table, row by row."""
    return [Point.of(row) for row in frame.iter_rows(named=True)]


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
    return dict(SCHEMA) | {name: pl.Float64() for name in names if name.startswith(READER)}


def reader_columns(frame: pl.DataFrame) -> list[str]:
    """The accuracy columns of other readers, as far as they hold anything."""
    return [name for name in frame.columns if name.startswith(READER) and frame[name].count()]


Counting = Literal["whole", "own"]
"""Whole files, or files without the bytes that a container repeats in every file of a batch."""
RATES: dict[Counting, str] = {"whole": "bpp", "own": "bpp_own"}
"""The column of each counting."""


def mark_front(frame: pl.DataFrame) -> pl.DataFrame:
    """Recomputes `on_front` over the complete points of trained codecs, as the validation images tell."""
    candidates = frame.filter(pl.col("kind").is_in(["tfic", "base"]), pl.col("status") == "complete")
    ids = chosen(candidates)["point_id"].implode()
    return frame.with_columns(on_front=pl.col("point_id").is_in(ids))


def chosen(frame: pl.DataFrame, counting: Counting = "whole") -> pl.DataFrame:
    """The rows that no other dominates on the validation images, by rising rate on the test images.

    No row is chosen by its test figures, which therefore need not rise everywhere. Where a table of an early release
    lacks a row's validation figures, the test figures stand in.
    """
    rate = RATES[counting]
    seen = frame.select(pl.coalesce(VALIDATION + rate, rate), pl.coalesce("val_accuracy", "accuracy"))
    kept = on_front([Objectives(*pair) for pair in seen.iter_rows()])
    return frame.filter(pl.Series(kept, dtype=pl.Boolean)).sort(rate)


def objectives(frame: pl.DataFrame, counting: Counting = "whole") -> list[Objectives]:
    """Rate and accuracy of each row on the test images, as points of the plane."""
    return [Objectives(*pair) for pair in frame.select(RATES[counting], "accuracy").iter_rows()]


def complete(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The finished points of one kind, by rising rate."""
    return frame.filter(pl.col("kind") == kind, pl.col("status") == "complete").sort("bpp")


def envelope(frame: pl.DataFrame, counting: Counting = "whole") -> list[Objectives]:
    """The best of all codecs that need no training, chosen on the validation images, by rising rate."""
    rows = complete(frame, "classical").drop_nulls(RATES[counting])
    return objectives(chosen(rows, counting), counting)


def uncompressed_accuracy(frame: pl.DataFrame) -> float | None:
    """Accuracy of the recognizer on the uncompressed images; None until that is measured."""
    rows = complete(frame, "uncompressed")["accuracy"]
    return rows[0] if len(rows) else None


def front_summary(frame: pl.DataFrame) -> dict[str, Any]:
    """The content of front.json: the front by rising rate, and hypervolumes."""
    kept = frame.filter("on_front").sort("bpp")
    columns = ["point_id", "kind", "lambda", "beta", "val_bpp", "val_accuracy", "bpp", "accuracy"]
    columns += [*reader_columns(kept), "psnr_db", "checkpoint"]
    return {
        "uncompressed_accuracy": uncompressed_accuracy(frame),
        "hypervolume": hypervolume(objectives(kept)),
        "hypervolume_base": hypervolume(objectives(complete(frame, "base"))),
        "hypervolume_classical": hypervolume(envelope(frame)),
        "hypervolume_classical_own": hypervolume(envelope(frame, "own")),
        "front": kept.select(columns).to_dicts(),
    }
