"""Interactive rate plots, as plotly reads them. Data alone: `plotly.graph_objects.Figure(plot)` makes an object."""

from collections.abc import Iterator, Sequence
from typing import Any

from sweep.reporting.curves import GREY, Curve

Plot = dict[str, Any]
"""A figure: `data`, the traces, and `layout`."""
Trace = dict[str, Any]
SIZES = {"star": 13, "circle": 9}
"""Pixels of a marker; others have 7."""
LARGEST = 22
"""Pixels of the marker of a bin with all readings."""
UNITS = {"psnr_db": "PSNR {:.1f} dB", "sure": "{:.1%} of the readings", "misread": "{:.1%} of what it is sure of"}
"""How a figure is said; others are accuracies."""


def rates(curves: Sequence[Curve], y: Trace) -> Plot:
    """Curves over rate.

    A trace's `meta` says whether the curve is one of many baselines; `customdata` is "place of the run:id of the
    point"; curves that are hidden wait in the legend.

    Args:
        y: the axis, as plotly has it.
    """
    drawn = [curve.points[curve.x] for curve in curves if not curve.level]
    ends = (min(map(least, drawn), default=0.01), max(map(most, drawn), default=1.0))
    traces = [trace for curve in curves for trace in _traces(curve, ends)]
    return figure(traces, {"title": {"text": "bits per pixel"}, "type": "log"}, y)


def reliability(curves: Sequence[Curve]) -> Plot:
    """The share of readings that is right over confidence; a larger marker has more readings.

    Args:
        curves: as `calibration.reliability` gives them.
    """
    diagonal = {"x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"color": GREY, "dash": "dot", "width": 1}}
    traces: list[Trace] = [{"type": "scatter", "name": "calibrated", "hoverinfo": "skip", **diagonal}]
    traces += [{"type": "scatter", "name": curve.name} | _look(curve) | _bins(curve) for curve in curves]
    axes = ({"title": {"text": title}, "range": [-0.03, 1.05]} for title in ("mean confidence", "share read right"))
    return figure(traces, *axes)


def _bins(curve: Curve) -> Trace:
    rows = curve.points
    look, counts = _look(curve)["marker"], rows["readings"]
    sizes = [max(5.0, LARGEST * (count / counts.sum()) ** 0.5) for count in counts]
    hover = f"%{{y:.1%}} right of %{{text}} readings<br>mean confidence %{{x:.3f}}<extra>{curve.name}</extra>"
    along = {name: rows[column].to_list() for name, column in (("x", curve.x), ("y", curve.y), ("text", "readings"))}
    return {**along, "marker": look | {"size": sizes}, "hovertemplate": hover}


def least(values: Any) -> float:
    """The smallest of a column."""
    return float(values.min())


def most(values: Any) -> float:
    """The largest of a column."""
    return float(values.max())


def figure(traces: list[Trace], x: Trace, y: Trace) -> Plot:
    """Traces over two axes."""
    return {"data": traces, "layout": {"xaxis": x, "yaxis": y, "hovermode": "closest"}}


def _traces(curve: Curve, ends: tuple[float, float]) -> Iterator[Trace]:
    named: Trace = {"type": "scatter", "name": curve.name, "legendgroup": curve.name, "meta": {"single": curve.single}}
    named["visible"] = "legendonly" if curve.hidden else True
    if curve.banded:
        yield named | _band(curve) | {"showlegend": False}
    yield named | _look(curve) | (_level(curve, ends) if curve.level else _points(curve))


def _points(curve: Curve) -> Trace:
    rows = curve.points
    return {
        "x": rows[curve.x].to_list(),
        "y": rows[curve.y].to_list(),
        "text": [_said(row, curve) for row in rows.iter_rows(named=True)],
        "customdata": keys(rows["point_id"], curve.run),
        "hovertemplate": "%{text}<extra></extra>",
    }


def keys(ids: Any, run: int) -> list[str]:
    """Names of points in a report."""
    return [f"{run}:{key}" for key in ids]


def _level(curve: Curve, ends: tuple[float, float]) -> Trace:
    [value] = curve.points[curve.y]
    hover = f"{curve.name}: {value:.3f}<extra></extra>"
    return {"x": list(ends), "y": [value, value], "hovertemplate": hover}


def _look(curve: Curve) -> Trace:
    modes = (curve.dash and "lines", curve.marker and "markers")
    return {
        "mode": "+".join(mode for mode in modes if mode),
        "line": {"color": curve.color, "dash": curve.dash or "solid", "width": 1.2 if curve.single else 2},
        "marker": {"color": curve.color, "symbol": curve.marker, "size": SIZES.get(curve.marker or "", 7)},
    }


def _band(curve: Curve) -> Trace:
    rates, high, low = (curve.points[name] for name in ("bpp", "accuracy_high", "accuracy_low"))
    edges = {"x": [*rates, *rates.reverse()], "y": [*high, *low.reverse()]}
    filled = {"fill": "toself", "fillcolor": f"{curve.color}26", "line": {"width": 0}, "mode": "lines"}
    return {**edges, **filled, "hoverinfo": "skip"}


def _said(row: dict[str, Any], curve: Curve) -> str:
    """What stands beside a point under the mouse."""
    unit = UNITS.get(curve.y, "accuracy {:.3f}").format(row[curve.y])
    if (curve.x, curve.y) != ("bpp", "accuracy"):
        return hover(curve.name, row, f"{row[curve.x]:.4f} bpp", unit)
    return hover(curve.name, row, f"{row['bpp']:.4f} bpp{_between(row, 'bpp', 4)}", unit + _between(row, "accuracy", 3))


def hover(title: str, row: dict[str, Any], *figures: str) -> str:
    """A point's weights, figures and id, a line each."""
    weights = [f"{sign} {row[name]:.3g}" for sign, name in (("λ", "lambda"), ("β", "beta")) if row[name] is not None]
    return "<br>".join(line for line in (f"<b>{title}</b>", ", ".join(weights), *figures, row["point_id"]) if line)


def _between(row: dict[str, Any], name: str, digits: int) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None else f" ({low:.{digits}f} to {high:.{digits}f})"
