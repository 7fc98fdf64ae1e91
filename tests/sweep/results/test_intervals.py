"""Bootstrap intervals over images."""

import numpy as np
import polars as pl
import pytest

from sweep.results import intervals, readings
from sweep.results.intervals import Measured
from sweep.results.pareto import Objectives, bd_accuracy

RATES = np.array([0.04, 0.08, 0.16, 0.32])


def curves(gap: float, images: int = 200) -> Measured:
    """Two curves of four points; the second reads every image worse by `gap`; images differ by far more."""
    rng = np.random.default_rng(0)
    difficulty = rng.uniform(-0.15, 0.15, images)
    base = np.array([0.3, 0.5, 0.6, 0.7])[:, None] + difficulty + rng.normal(0, 0.01, (4, images))
    rates = RATES[:, None] * rng.uniform(0.9, 1.1, images)
    return Measured(
        tuple(f"{side}{i}" for side in "ab" for i in range(4)), np.tile(rates, (2, 1)), np.vstack([base, base - gap])
    )


A, B = ([f"{side}{i}" for i in range(4)] for side in "ab")


def test_95_of_100_intervals_hold_the_true_accuracy() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(400):
        accuracy = rng.beta(3, 2, (1, 100))
        resampled = intervals.resample(Measured(("p",), np.ones((1, 100)), accuracy), seed=trial, resamples=500)
        low, high = intervals.interval(resampled.accuracy[:, 0])
        held += low <= 0.6 <= high
    assert 0.91 <= held / 400 <= 0.98


def test_paired_differences_are_told_far_more_closely_than_unpaired_ones() -> None:
    both = curves(0.05)
    paired, other = intervals.resample(both, seed=0), intervals.resample(both, seed=1)
    difference = intervals.interval(paired.accuracy[:, 0] - paired.accuracy[:, 4])
    unpaired = intervals.interval(paired.accuracy[:, 0] - other.accuracy[:, 4])
    assert difference.high - difference.low < 0.2 * (unpaired.high - unpaired.low)


def test_bd_intervals_hold_the_difference_of_the_curves() -> None:
    resampled = intervals.resample(curves(0.05), resamples=200)
    gain = intervals.of_bd_accuracy(resampled, A, B)
    saved = intervals.of_bd_rate(resampled, A, B)
    assert gain is not None
    assert gain == pytest.approx((0.05, 0.05), abs=0.005)
    assert saved is not None
    assert saved.low <= saved.high < 0
    assert intervals.of_bd_rate(resampled, A, A) == pytest.approx((0, 0))


def test_curves_without_overlap_have_no_bd_interval() -> None:
    resampled = intervals.resample(curves(0.9), resamples=50)
    assert intervals.of_bd_rate(resampled, A, B) is None


def test_bd_accuracy_is_the_gap_of_parallel_curves() -> None:
    low = [Objectives(0.1, 0.2), Objectives(0.2, 0.5), Objectives(0.4, 0.6)]
    high = [Objectives(bpp, accuracy + 0.1) for bpp, accuracy in low]
    assert bd_accuracy(high, low) == pytest.approx(0.1)
    assert bd_accuracy(low, [Objectives(2 * bpp + 1, accuracy) for bpp, accuracy in low]) is None


def test_points_whose_rates_differ_by_rounding_alone_are_one_for_bd_accuracy() -> None:
    curve = [Objectives(1000, 0.4), Objectives(float(np.nextafter(1000, 2000)), 0.5), Objectives(2000, 0.7)]
    assert bd_accuracy(curve, [Objectives(1000, 0.4), Objectives(2000, 0.6)]) == pytest.approx(0.1)


def test_the_same_seed_gives_the_same_intervals_and_the_hypervolume_lies_within() -> None:
    first, again = (intervals.resample(curves(0.05)) for _ in range(2))
    assert np.array_equal(first.accuracy, again.accuracy)
    better, worse = intervals.of_hypervolume(first, A), intervals.of_hypervolume(first, B)
    assert better is not None
    assert worse is not None
    assert better.low < better.high
    assert worse.high < better.high


def test_readings_are_arranged_by_image_and_a_point_that_lacks_one_is_left_out() -> None:
    rows = [("b", 1, 30, 0.5), ("b", 0, 20, 1.0), ("a", 0, 40, 0.0), ("a", 1, 60, 0.2), ("c", 0, 10, 1.0)]
    frame = pl.DataFrame(rows, schema=["point_id", "index", "bytes", "accuracy"], orient="row")
    of = intervals.measured(frame, pixels=80)
    assert of.ids == ("a", "b")
    assert of.bpp.tolist() == [[4, 6], [2, 3]]
    assert of.accuracy.tolist() == [[0, 0.2], [1, 0.5]]
    bounds = intervals.of_points(intervals.resample(of))
    assert bounds.columns == ["point_id", "bpp_low", "bpp_high", "accuracy_low", "accuracy_high"]
    assert bounds["accuracy_low"].to_list() == pytest.approx([0, 0.5])


def test_without_readings_there_are_no_intervals() -> None:
    resampled = intervals.resample(intervals.measured(pl.DataFrame(schema=readings.SCHEMA), pixels=80))
    assert resampled.ids == ()
    assert intervals.of_points(resampled).is_empty()
    assert intervals.of_hypervolume(resampled, ["a"]) is None
