"""Interactive figures of what went wrong: over rate, and by what was drawn."""

from collections.abc import Sequence

import polars as pl

from sweep.reporting import errors_by
from sweep.reporting.contents import Contents
from sweep.reporting.curves import BLUE, GREEN, GREY, ORANGE, VERMILION, Marker
from sweep.reporting.plots import Plot, Trace, figure, keys
from sweep.results import misreadings, points

SHARE = "per 100 characters"
LOOKS = {"substitutions": (VERMILION, "circle"), "losses": (BLUE, "square"), "additions": (GREEN, "triangle-up")}
SERIES: tuple[tuple[str, Marker], ...] = (
    (GREY, "square"),
    (ORANGE, "triangle-up"),
    (VERMILION, "circle"),
    (BLUE, "diamond"),
)
"""Color and marker of the uncompressed images and of the points of the front, by rising rate."""


def chosen(contents: Contents) -> dict[str, str]:
    """Names for the uncompressed images and for the front's points of least, middle and highest rate, by point id."""
    plain = points.complete(contents.frame, "uncompressed")["point_id"].head(1)
    front = list(contents.front.select("point_id", "bpp").iter_rows())
    few = [front[place] for place in sorted({0, len(front) // 2, len(front) - 1})] if front else []
    named = dict.fromkeys(plain, "uncompressed") | {key: f"front, {bpp:.3f} bpp" for key, bpp in few}
    return {key: name for key, name in named.items() if key in set(contents.readings["point_id"])}


def over_rate(contents: Contents, rows: pl.DataFrame) -> Plot:
    """Errors of each kind along the front; dashed, in the uncompressed images.

    Args:
        rows: as `misreadings.compared` gives them.
    """
    shares = rows.group_by("point_id").agg(misreadings.share(kind) for kind in misreadings.KINDS)
    front = contents.front.join(shares, on="point_id").sort("bpp")
    plain = points.complete(contents.frame, "uncompressed").join(shares, on="point_id")
    traces = list[Trace]()
    for kind, (color, marker) in LOOKS.items():
        along: Trace = {"type": "scatter", "x": front["bpp"].to_list(), "y": front[kind].to_list(), "name": kind}
        look = {"mode": "lines+markers", "line": {"color": color}, "marker": {"color": color, "symbol": marker}}
        hover = f"%{{x:.4f}} bpp: %{{y:.1f}} {kind} {SHARE}<extra></extra>"
        traces.append(along | look | {"customdata": keys(front["point_id"], 0), "hovertemplate": hover})
        ends = front["bpp"].to_list()
        for value in plain[kind].head(1) if ends else ():
            level: Trace = {"type": "scatter", "x": [ends[0], ends[-1]], "y": [value, value], "mode": "lines"}
            dashed = {"line": {"color": color, "dash": "dash", "width": 1}, "name": f"{kind}, uncompressed"}
            traces.append(level | dashed | {"hovertemplate": f"uncompressed: {value:.1f} {kind}<extra></extra>"})
    rate = {"title": {"text": "bits per pixel"}, "type": "log"}
    return figure(traces, rate, {"title": {"text": f"errors {SHARE}"}, "rangemode": "tozero"})


def grouped(contents: Contents, rows: pl.DataFrame) -> dict[str, dict[str, Plot]]:
    """Substitutions and losses, a figure each, by dimension: of each dimension that tells images apart.

    Args:
        rows: as `misreadings.compared` gives them, with the columns of `errors_by.described`.
    """
    names = chosen(contents)
    few = rows.filter(pl.col("point_id").is_in(list(names)))
    tables = {dimension: errors_by.by(few, dimension) for dimension in errors_by.DIMENSIONS}
    kept = {dimension: table for dimension, table in tables.items() if table[dimension].n_unique() > 1}
    kinds = ("substitutions", "losses")
    return {name: {kind: _dots(table, name, kind, names) for kind in kinds} for name, table in kept.items()}


def _dots(table: pl.DataFrame, dimension: str, kind: str, names: dict[str, str]) -> Plot:
    order = _order(table, dimension, names)
    images = dict(table.select(dimension, "images").iter_rows())
    labels = [f"{group} ({images[group]})" for group in order]
    traces = list[Trace]()
    for (key, name), (color, marker) in zip(names.items(), SERIES, strict=False):
        shares = dict(table.filter(point_id=key).select(dimension, kind).iter_rows())
        along: Trace = {"type": "scatter", "mode": "markers", "x": [shares.get(group) for group in order], "y": labels}
        look = {"marker": {"color": color, "symbol": marker, "size": 10}, "name": name}
        hover = f"%{{y}}: %{{x:.1f}} {kind} {SHARE}<extra>{name}</extra>"
        traces.append(along | look | {"hovertemplate": hover})
    title = {"title": {"text": f"{kind} per 100"}, "rangemode": "tozero"}
    drawn = figure(traces, title, {"type": "category", "tickfont": {"size": 11}})
    drawn["layout"]["height"] = 120 + 24 * len(order)
    return drawn


def _order(table: pl.DataFrame, dimension: str, names: dict[str, str]) -> Sequence[str]:
    """Groups with the fewest errors at the top, in the middle of the front; heights and lengths as they rise."""
    if dimension in errors_by.RISING:
        return sorted(table[dimension].unique(), key=lambda group: int(group.split()[0]), reverse=True)
    middle = list(names)[len(names) // 2]
    errors = table.filter(point_id=middle).sort(pl.col("substitutions") + pl.col("losses"), descending=True)
    return errors[dimension].to_list()
