"""The tables of a report: all points, and what encoding costs beside reading."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from sweep.reporting.contents import Contents
from sweep.reporting.curves import BOUNDS
from sweep.results import points
from sweep.results.layers import layers

FIRST = ("point_id", "kind", "on_front", "codec", "lambda", "beta", "bpp", "accuracy", *BOUNDS)
"""Columns at the left, in this order; then all others."""
LAST = ("checkpoint", "mlflow_run_id", "reason")
LAYERS = 6
"""Rows of the table of two layers."""
Table = dict[str, list[Any]]
"""`columns` and `rows`."""


def of_points(runs: Sequence[Contents]) -> Table:
    """All points of all runs, with the bounds of their intervals; columns in which nothing stands are left out."""
    joined = [run.frame.join(run.bounds, on="point_id", how="left", maintain_order="left") for run in runs]
    named = [rows.select(pl.lit(run.name).alias("run"), pl.all()) for run, rows in zip(runs, joined, strict=True)]
    frame = pl.concat(named, how="diagonal")
    keys = [f"{place}:{key}" for place, run in enumerate(runs) for key in run.frame["point_id"]]
    held = [name for name in frame.columns if frame[name].count() or name in FIRST]
    middle = [name for name in held if name not in (*FIRST, *LAST, "run")]
    shown = [*(["run"] if len(runs) > 1 else []), *FIRST, *middle, *(name for name in LAST if name in held)]
    rows = [[_rounded(value) for value in row] for row in frame.select(shown).iter_rows()]
    return {"columns": shown, "rows": rows, "keys": keys}


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def two_layers(contents: Contents) -> Table:
    """The paper's two layers (section IV-B) beside one image of their rate, a few along the front; none where the base
    codec gives back no image for the eye."""
    found = layers(contents.frame) if contents.run.config.target == "image" else []
    few = found[:: max(1, len(found) // LAYERS)]
    columns = ["bpp of both", "of the base layer", "accuracy", "of one image", "PSNR, dB", "of one image"]
    return {"columns": columns, "rows": [[*map(_text, each)] for each in few]}


def _text(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.1f}"


def times(runs: Sequence[Contents]) -> Table:
    """The paper's Table I: milliseconds of encoding and of reading an image, mean and standard deviation, by codec.

    The standard deviation is that over images, of all points of a codec together. Baselines that are among the best at
    some rate stand here, all sizes of one together.
    """
    rows = [row for run in runs for row in _times(run, f"{run.name}: " if len(runs) > 1 else "")]
    return {"columns": ["", "points", "encoding, ms", "reading, ms", "encoding / reading"], "rows": rows}


def _times(run: Contents, before: str) -> Iterator[list[Any]]:
    classical = points.complete(run.frame, "classical")
    best = pl.concat([points.chosen(classical), points.chosen(classical.drop_nulls("bpp_own"), "own")])
    names = best["codec"].str.replace(r"-1/\d+$", "")
    groups = [("uncompressed images", points.complete(run.frame, "uncompressed"))]
    groups += [("base codec (stage 1)", points.complete(run.frame, "base"))]
    groups += [("TFIC (stage 2)", points.complete(run.frame, "tfic"))]
    groups += [(name, best.filter(names == name).unique("point_id")) for name in names.unique().sort()]
    for name, rows in groups:
        encode, ocr = (_pooled(rows.select(f"{what}_ms", f"{what}_ms_std").iter_rows()) for what in ("encode", "ocr"))
        if len(rows):
            ratio = f"{encode[0] / ocr[0]:.2f}" if encode and ocr else "–"
            yield [before + name, len(rows), _time(encode), _time(ocr), ratio]


def _pooled(pairs: Iterable[Sequence[float | None]]) -> tuple[float, float] | None:
    """Mean and standard deviation of equal numbers of images, out of those of each point."""
    known = [(mean, std or 0.0) for mean, std in pairs if mean is not None]
    if not known:
        return None
    mean = statistics.fmean(each for each, _ in known)
    return mean, statistics.fmean((each - mean) ** 2 + std**2 for each, std in known) ** 0.5


def _time(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.1f} ± {pair[1]:.1f}"
