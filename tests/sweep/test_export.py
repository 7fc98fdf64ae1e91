import numpy as np
import polars as pl
import pytest

from sweep import export
from sweep.errors import SweepError

FRONT = pl.DataFrame({"point_id": ["a", "b", "c"], "bpp": [0.05, 0.1, 0.2], "accuracy": [0.3, 0.6, 0.8]})


@pytest.mark.parametrize(("max_bpp", "chosen"), [(0.05, "a"), (0.15, "b"), (9.0, "c")])
def test_the_most_accurate_point_within_the_rate_is_chosen(max_bpp: float, chosen: str) -> None:
    assert export.choose(FRONT, max_bpp)["point_id"] == chosen


def test_a_rate_below_every_point_is_refused_with_the_smallest() -> None:
    with pytest.raises(SweepError, match=r"0\.0500"):
        export.choose(FRONT, 0.01)


def test_an_empty_front_is_named() -> None:
    with pytest.raises(SweepError, match="the front is empty"):
        export.choose(FRONT.clear(), 1.0)


def test_a_dials_path_is_smooth_rises_and_stays_in_the_plane() -> None:
    rates = np.geomspace(0.03, 0.2, 12)
    noise = np.where(np.arange(12) % 2, 1.5, 1 / 1.5)
    front = pl.DataFrame({"bpp": rates, "lambda": 0.003 / rates * noise, "beta": rates})
    path = export.path_along(front)
    assert len(path) == export.STOPS
    betas = [stop.ocr_weight for stop in path]
    assert betas == sorted(betas)
    for stop, rate in zip(path, np.geomspace(0.03, 0.2, export.STOPS), strict=True):
        assert stop.rate_weight == pytest.approx(0.003 / rate, rel=0.3)
        assert min(front["lambda"]) - 1e-9 <= stop.rate_weight <= max(front["lambda"]) + 1e-9


@pytest.mark.parametrize("points", [2, 3, 12])
@pytest.mark.parametrize("weight", ["lambda", "beta"])
def test_a_weight_of_one_value_stays_along_the_dial(weight: str, points: int) -> None:
    rates = np.geomspace(0.03, 0.2, points)
    front = pl.DataFrame({"bpp": rates, "lambda": 0.003 / rates, "beta": rates})
    path = export.path_along(front.with_columns(pl.lit(0.7).alias(weight)))
    kept = [stop.rate_weight if weight == "lambda" else stop.ocr_weight for stop in path]
    assert kept == pytest.approx([0.7] * export.STOPS)


def test_a_dial_of_one_point_is_refused() -> None:
    with pytest.raises(SweepError, match="two points"):
        export.path_along(pl.DataFrame({"bpp": [0.1], "lambda": [0.1], "beta": [0.1]}))
