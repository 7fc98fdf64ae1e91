"""Confidence beside accuracy: what is counted, and what is drawn of it."""

import io
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from sweep.reporting import calibration, figures, page, papers, plots
from sweep.reporting.contents import Contents
from sweep.reporting.pictures import Pictures
from sweep.results import misreadings


def rows(*read: tuple[str, float]) -> pl.DataFrame:
    """Readings of the text "word" by a point, with confidences."""
    columns: dict[str, Any] = {"point_id": "a", "index": range(len(read)), "truth": "word"}
    frame = pl.DataFrame(columns | {"read": [text for text, _ in read], "confidence": [sure for _, sure in read]})
    frame = frame.with_columns(accuracy=(pl.col("read") == "word").cast(pl.Float64))
    return misreadings.compared(frame).with_columns(right=pl.col("accuracy") == 1)


def test_bins_hold_what_is_right_at_their_confidence() -> None:
    found = calibration.bins(rows(("word", 0.0), ("w", 0.05), ("word", 0.95), ("word", 1.0)))
    assert found.select("from", "readings", "right").rows() == [(0.0, 2, 0.5), (0.9, 2, 1.0)]
    assert found["confidence"].to_list() == pytest.approx([0.025, 0.975])


def test_the_calibration_error_is_the_mean_distance_of_confidence_from_what_is_right() -> None:
    [perfect, unsure] = (
        calibration.totals(rows(*read)).row(0, named=True)
        for read in ([("word", 1.0), ("w", 0.0)], [("word", 0.2), ("word", 0.6), ("word", 0.6), ("w", 0.0)])
    )
    assert perfect["ece"] == 0
    assert unsure["ece"] == pytest.approx((0.8 + 0.4 + 0.4 + 0) / 4)


def test_a_wrong_character_counts_where_the_recognizer_is_sure_and_a_lost_one_does_not() -> None:
    found = calibration.totals(rows(("w0rd", 0.95), ("wod", 0.9), ("word", 0.99), ("w0rd", 0.5), ("word", 0.91)))
    assert found.select("sure", "misread").row(0) == (0.8, 0.25)
    assert calibration.totals(rows(("word", 0.5)))["misread"].to_list() == [None]


def test_both_figures_are_drawn_of_the_front_and_of_the_uncompressed_images(found: Contents) -> None:
    known = calibration.of_run(found)
    drawn, over = calibration.reliability(found, known), calibration.over_rate(found, known)
    assert drawn[0].name.startswith("uncompressed (ECE 0.3")
    assert {curve.level for curve in over if curve.y == "misread"} == {True, False}
    assert calibration.table(found, known)["rows"][0][4:] == ["0.375", "50.0%", "0.0% (0 of 6)"]
    for plot in (plots.reliability(drawn), plots.rates(over, {})):
        assert go.Figure(plot).to_json()
    figures.reliability_figure(drawn).savefig(io.BytesIO())


def test_a_share_of_few_readings_is_not_drawn(found: Contents) -> None:
    known = calibration.of_run(found).filter(pl.col("index") < 2 * calibration.FEW - 1)
    assert {curve.y for curve in calibration.over_rate(found, known)} == {"sure"}


def test_without_confidences_there_is_nothing_to_draw(found: Contents, images: Pictures) -> None:
    silent = replace(found, readings=found.readings.with_columns(confidence=pl.lit(None, pl.Float64)))
    assert page._calibration(silent) == {}
    names = [[each.name for each in papers._papers(contents, images)] for contents in (found, silent)]
    assert names[0] == [*names[1], "reliability", "confidence"]
