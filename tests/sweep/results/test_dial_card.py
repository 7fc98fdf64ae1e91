"""A dial's card says what each of its stops reaches, for every reader."""

import re
from pathlib import Path

import polars as pl
import pytest
from finished import FRONT, PIXELS

from sweep.results import dial_card, export, points, readings
from sweep.results.folder import RunFolder
from sweep.results.point import Reading


def of(run: RunFolder) -> str:
    frame = points.read(run.path)
    return dial_card.of_dial(run, frame, export.dial(run, frame.filter("on_front")), Path("dial.pt"))


def rows(text: str) -> list[list[str]]:
    """The cells of the table of stops, its head first."""
    return [
        line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| (`--quality`|\d|uncomp)", line)
    ]


def test_it_says_what_just_readable_files_take(finished_run: RunFolder) -> None:
    text = of(finished_run)
    # All readings of the run are alike: its smallest files keep all.
    assert "With `--keep-reading`, chosen among the points of the front: Just readable, " in text
    assert re.search(r"0\.050\d bpp keep 100\.0% of the readings; of the front's points, that at 0\.050\d bpp", text)


def test_the_ends_of_the_dial_have_the_figures_of_the_fronts_ends(finished_run: RunFolder) -> None:
    head, first, *_, last, plain = rows(of(finished_run))
    assert head == ["`--quality`", "λ", "β", "bpp", "accuracy", "tesseract", "substitutions"]
    for row, accuracy, other in ((first, 0.5, "0.300"), (last, 0.85, "0.650")):
        value, low, high = map(float, re.findall(r"[\d.]+", row[4]))
        assert (value, low < value < high) == (accuracy, True)
        assert row[5:] == [other, "0.000"]
    assert plain == ["uncompressed", "-", "-", "24", "0.950", "0.750", "0.000"]


def test_stops_lie_between_the_points_of_the_front_in_log_rate(finished_run: RunFolder) -> None:
    middle = rows(of(finished_run))[6]
    # 0.05 to 0.4 bpp: the middle is at 0.1414, halfway from the point at 0.1, of 0.7, to that at 0.2, of 0.8.
    assert (middle[0], float(middle[3])) == ("50", pytest.approx(0.1414, abs=1e-3))
    assert float(middle[4][:5]) == pytest.approx(0.75, abs=2e-3)


def test_without_readings_there_are_neither_intervals_nor_substitutions(finished_run: RunFolder) -> None:
    frame = points.read(finished_run.path)
    dial = export.dial(finished_run, frame.filter("on_front"))
    none = readings.read(finished_run.path).clear()
    head, first, *_ = rows(dial_card._stops(frame, none, dial, PIXELS))
    assert (head[4:], first[4:]) == (["accuracy", "tesseract"], ["0.500", "0.300"])


def test_a_wrong_character_is_a_substitution_and_a_lost_one_is_not(finished_run: RunFolder) -> None:
    frame = points.read(finished_run.path)
    dial = export.dial(finished_run, frame.filter("on_front"))
    read = [Reading(0, 100, "w0rd", "word", 0.75), Reading(1, 100, "wor", "word", 0.75)]
    misread = pl.concat([readings.table(name, read) for name in FRONT])
    _, first, *_ = rows(dial_card._stops(frame, misread, dial, PIXELS))
    assert first[-1] == "0.125"
