"""Interactive figures of the search: the plane of the two weights, and how the front grew."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sweep.reporting.contents import Contents
from sweep.reporting.curves import FURTHER, GREY, VERMILION
from sweep.reporting.plots import Plot, Trace, figure, hover, keys
from sweep.results import pareto, points

MEASURES = {"accuracy": "accuracy", "bpp": "bits per pixel", "psnr_db": "PSNR, dB"}
"""What the plane may be colored by, with titles."""
SHAPES = ("circle", "square", "triangle-up", "diamond")
"""Markers of runs in one plane."""
LINES = ((VERMILION, "circle", "solid"), *FURTHER)


def plane(runs: Sequence[Contents]) -> Plot:
    """The weights of all trials, colored by accuracy, with the front drawn in it.

    The `meta` of a colored trace holds what else it may be colored by.
    """
    traces = [trace for place in range(len(runs)) for trace in _weights(runs, place)]
    axes = [{"title": {"text": name}, "type": "log"} for name in ("λ, weight of the rate", "β, weight of the OCR loss")]
    drawn = figure(traces, *axes)
    drawn["layout"]["coloraxis"] = {"colorscale": "Cividis", "colorbar": {"title": {"text": MEASURES["accuracy"]}}}
    return drawn


def _weights(runs: Sequence[Contents], place: int) -> Iterator[Trace]:
    contents, before = runs[place], f"{runs[place].name}: " if len(runs) > 1 else ""
    trials, (color, _, dash) = contents.frame.filter(kind="tfic"), LINES[place % len(LINES)]
    ring = {"symbol": f"{SHAPES[place % 4]}-open", "size": 17, "color": color, "line": {"width": 2}}
    line = {"mode": "lines+markers", "line": {"color": color, "dash": dash, "width": 1}, "marker": ring}
    yield _pairs(contents.front.filter(kind="tfic")) | line | {"name": f"{before}front, by rate", "hoverinfo": "skip"}
    rows = points.complete(trials, "tfic")
    # The darkest dots would sink into a dark page without a line around them.
    marker: Trace = {"symbol": SHAPES[place % 4], "size": 10, "line": {"color": GREY, "width": 1}}
    marker |= {"coloraxis": "coloraxis", "color": rows["accuracy"].to_list()}
    said = [hover("trial", row, *_figures(row)) for row in rows.iter_rows(named=True)]
    meta = {name: rows[name].to_list() for name in MEASURES}
    shown = {"customdata": keys(rows["point_id"], place), "meta": meta, "mode": "markers", "marker": marker}
    yield _pairs(rows) | shown | _said(said) | {"name": f"{before}trials"}
    lost = trials.filter(pl.col("status") != "complete")
    cross = {"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": GREY}}
    if len(lost):
        yield (
            _pairs(lost)
            | {"mode": "markers", "marker": cross}
            | _said(lost["status"].to_list())
            | {"name": f"{before}stopped or failed"}
        )


def _figures(row: dict[str, Any]) -> list[str]:
    psnr = [] if row["psnr_db"] is None else [f"PSNR {row['psnr_db']:.1f} dB"]
    return [f"{row['bpp']:.4f} bpp", f"accuracy {row['accuracy']:.3f}", *psnr]


def _said(lines: list[str]) -> Trace:
    return {"text": lines, "hovertemplate": "%{text}<extra></extra>"}


def _pairs(rows: pl.DataFrame) -> Trace:
    return {"type": "scatter", "x": rows["lambda"].to_list(), "y": rows["beta"].to_list()}


def hypervolume(runs: Sequence[Contents]) -> Plot:
    """Hypervolume of the front over seconds of the points' own training, as the points arrived.

    The `meta` of a trace holds both axes that it may be drawn over.
    """
    traces = list[Trace]()
    for place, contents in enumerate(runs):
        rows, (color, _, dash) = growth(contents.frame), LINES[place % len(LINES)]
        over = {"seconds": rows["seconds"].to_list(), "points": list(range(1, len(rows) + 1))}
        line = {"shape": "hv", "color": color, "dash": dash, "width": 2}
        shown = {"mode": "lines", "line": line, "hovertemplate": "%{x:.0f}: %{y:.4f}", "meta": over}
        along = {"x": over["seconds"], "y": rows["hypervolume"].to_list()}
        traces.append({"type": "scatter", **along, **shown, "name": contents.name})
    x = {"title": {"text": "core-seconds of training"}, "rangemode": "tozero"}
    return figure(traces, x, {"title": {"text": "hypervolume"}, "rangemode": "tozero"})


def growth(frame: pl.DataFrame) -> pl.DataFrame:
    """The points in their order of arrival: `point_id`, `seconds` of training and `hypervolume` of the front so far.

    Points count that are complete; the seconds of all do.
    """
    rows = frame.filter(pl.col("kind").is_in(["base", "tfic"]))
    rows = rows.with_columns(seconds=pl.col("train_seconds").fill_null(0.0).cum_sum()).filter(status="complete")
    fronts = (points.chosen(rows.head(count)) for count in range(1, len(rows) + 1))
    volumes = [pareto.hypervolume(points.objectives(front)) for front in fronts]
    return rows.select("point_id", "seconds", hypervolume=pl.Series(volumes, dtype=pl.Float64))
