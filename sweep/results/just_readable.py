"""Just readable: of each test image, the smallest file of the front from which the recognizer still reads what it reads
in the original. `python -m models compress --keep-reading` finds such files, and needs no text of theirs for that."""

from typing import NamedTuple

import polars as pl

from sweep.results import points

ID = "just-readable"
"""Point id and kind of such files, where they stand among points."""
DIAL_BYTES = 1
"""What a file of a dial tells beyond one of a point: where on the dial it was made."""


class JustReadable(NamedTuple):
    """The files of a front, chosen image by image, beside its points."""

    bpp: float
    accuracy: float
    kept: float
    """Share of the images that are read as their originals are."""
    point_bpp: float
    """The rate of the point that alone keeps most; of several, the lowest."""
    point_kept: float
    """The share that it keeps."""


def files(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The readings of the chosen files, an image each, and `kept`, whether it is read as the original is.

    Where no point keeps the reading, the file is that of the highest rate.

    Args:
        frame: a run's points.
        rows: their readings; where those of the uncompressed images or of the front are missing, no file is chosen.
    """
    kept = pl.col("kept")
    rank = pl.when(kept).then(pl.col("bytes")).otherwise(-pl.col("place"))
    ordered = _compared(frame, rows).sort("index", kept.not_(), rank, "place")
    best = ordered.unique("index", keep="first", maintain_order=True).drop("place")
    return best.with_columns(pl.lit(ID).alias("point_id"), pl.col("bytes") + DIAL_BYTES)


def of_run(frame: pl.DataFrame, rows: pl.DataFrame, pixels: int) -> JustReadable | None:
    """What the chosen files take and keep; None where there are none. `pixels` are those of an image."""
    chosen = files(frame, rows)
    if chosen.is_empty():
        return None
    means = pl.col("bytes", "accuracy", "kept").mean()
    of_points = _compared(frame, rows).group_by("place").agg(means).sort("kept", -pl.col("place"))
    size, accuracy, kept = chosen.select(means).row(0)
    point_size, point_kept = of_points.select("bytes", "kept").row(-1)
    return JustReadable(8 * size / pixels, accuracy, kept, 8 * point_size / pixels, point_kept)


def said(found: JustReadable | None) -> str:
    """The figures in a sentence; nothing where there are none."""
    if found is None:
        return ""
    return (
        f"Just readable, the smallest file for each image that is read as the original is: {found.bpp:.4f} bpp keep "
        f"{found.kept:.1%} of the readings; of the front's points, that at {found.point_bpp:.4f} bpp keeps most, "
        f"{found.point_kept:.1%}."
    )


def _compared(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Readings of the front's TFIC points, with `kept`, and `place`, the point's among them by rising rate."""
    front = points.complete(frame, "tfic").filter("on_front").select("point_id").with_row_index("place")
    plain = rows.filter(pl.col("point_id").is_in(points.complete(frame, "uncompressed")["point_id"].implode()))
    wanted = plain.select("index", wanted="read")
    found = rows.join(front, on="point_id").join(wanted, on="index")
    return found.with_columns(pl.col("place").cast(pl.Int64), kept=pl.col("read") == pl.col("wanted")).drop("wanted")
