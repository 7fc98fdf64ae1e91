"""Interactive figures are ones that plotly takes, and hold what they say."""

import plotly.graph_objects as go
import polars as pl
import pytest
from rows import frame

from sweep.reporting import curves, error_plots, errors_by, plane, plots
from sweep.reporting.contents import Contents
from sweep.results import misreadings, pareto, points

Y = {"title": {"text": "accuracy"}}


def test_plotly_takes_every_figure(found: Contents) -> None:
    rows = misreadings.compared(found.readings).join(errors_by.described(found), on="index")
    grouped = error_plots.grouped(found, rows)
    assert {"height", "length", "text"} <= set(grouped)
    for plot in (
        plots.rates(curves.accuracy(found.frame, found.bounds), Y),
        plots.rates(curves.psnr(found.frame), Y),
        plane.plane([found, found]),
        plane.hypervolume([found]),
        error_plots.over_rate(found, rows),
        *(each for pair in grouped.values() for each in pair.values()),
    ):
        assert go.Figure(plot).to_json()


def test_nothing_yet_is_a_figure_too() -> None:
    assert go.Figure(plots.rates(curves.accuracy(frame()), Y)).to_json()


def test_a_point_tells_weights_figures_intervals_and_id(found: Contents) -> None:
    plot = plots.rates(curves.accuracy(found.frame, found.bounds), Y)
    [front] = [trace for trace in plot["data"] if trace["name"].startswith("front, with") and "text" in trace]
    point = found.front.row(0, named=True)
    assert front["customdata"][0] == f"0:{point['point_id']}"
    lines = front["text"][0].split("<br>")
    assert lines[1:2] + lines[4:] == [f"λ {point['lambda']:.3g}, β {point['beta']:.3g}", point["point_id"]]
    assert lines[2].startswith(f"{point['bpp']:.4f} bpp (")
    assert lines[3].startswith(f"accuracy {point['accuracy']:.3f} (")


def test_the_plane_shows_every_trial_that_is_measured_and_what_became_of_the_others(found: Contents) -> None:
    front, trials, lost = plane.plane([found])["data"]
    assert len(trials["x"]) == len(trials["meta"]["bpp"]) == points.complete(found.frame, "tfic").height
    assert set(front["x"]) < set(trials["x"])
    assert lost["text"] == ["failed"]


def test_the_front_grows_to_the_hypervolume_of_the_run(found: Contents) -> None:
    grown = plane.growth(found.frame)
    assert grown["hypervolume"][-1] == pytest.approx(pareto.hypervolume(points.objectives(found.front)))
    assert grown["seconds"].to_list() == [10.0 * count for count in range(1, len(grown) + 1)]


def test_a_failed_point_costs_seconds_and_adds_no_volume() -> None:
    rows = frame(
        {"point_id": "a", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.5, "train_seconds": 1.0},
        {"point_id": "b", "kind": "tfic", "status": "failed", "train_seconds": 5.0},
        {"point_id": "c", "kind": "tfic", "status": "complete", "bpp": 0.2, "accuracy": 0.4, "train_seconds": 1.0},
    )
    assert plane.growth(rows).select("point_id", "seconds").rows() == [("a", 1.0), ("c", 7.0)]
    assert plane.growth(rows)["hypervolume"].to_list() == [pytest.approx(0.2)] * 2
    assert plane.growth(rows.filter(pl.col("kind") == "base")).is_empty()
