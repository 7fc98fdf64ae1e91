import random

import pytest

from sweep.results.pareto import Objectives
from sweep.search.early_stopping import REDUCTION, FrontStopping, rungs, spread


def test_rungs_lie_at_a_ninth_and_a_third() -> None:
    assert rungs(900) == [100, 300]
    assert rungs(4) == [1]
    assert rungs(1) == rungs(0) == []


def test_a_trial_on_the_front_always_passes() -> None:
    stopping = FrontStopping()
    curve = [Objectives(0.01 * rate, rate / 40) for rate in range(1, 31)]
    assert all(stopping.passes(10, str(point), point) for point in random.Random(0).sample(curve, len(curve)))


def test_a_trial_far_behind_the_front_stops() -> None:
    stopping = FrontStopping()
    for number in range(12):
        assert stopping.passes(10, f"good{number}", Objectives(0.05 + 0.01 * number, 0.5 + 0.02 * number))
    assert not stopping.passes(10, "bad", Objectives(0.2, 0.3))
    assert stopping.passes(30, "bad", Objectives(0.2, 0.3))


def test_the_first_are_not_judged() -> None:
    stopping = FrontStopping()
    assert stopping.passes(10, "a", Objectives(0.1, 0.5))
    assert stopping.passes(10, "b", Objectives(0.2, 0.4))


def test_a_trial_that_is_asked_about_again_counts_once() -> None:
    stopping = FrontStopping()
    for _ in range(2 * REDUCTION):
        assert stopping.passes(10, "a", Objectives(0.1, 0.5))
    assert stopping.passes(10, "b", Objectives(0.2, 0.4))


def test_about_a_third_passes_some_of_it_at_either_end_of_the_rates() -> None:
    draw = random.Random(1)
    stopping = FrontStopping()
    points = [Objectives(rate := draw.uniform(0.02, 0.3), draw.uniform(0, 1) * (1 - 0.01 / rate)) for _ in range(200)]
    passed = [point for number, point in enumerate(points) if stopping.passes(1, str(number), point)]
    assert len(passed) / len(points) == pytest.approx(1 / REDUCTION, abs=0.05)
    for low, high in ((0.02, 0.1), (0.2, 0.3)):
        assert any(low < point.bpp < high for point in passed)


def test_within_a_front_the_ends_come_first_then_the_middle() -> None:
    curve = [Objectives(2.0**rate, rate / 10) for rate in range(5)]
    assert list(spread(range(5), curve))[:3] == [0, 4, 2]


def test_a_front_passes_and_a_front_behind_it_stops() -> None:
    stopping = FrontStopping()
    for number in range(6):
        stopping.passes(1, f"front{number}", Objectives(0.1 + 0.01 * number, 0.5 + 0.01 * number))
    behind = [Objectives(0.1 + 0.01 * number + 0.001, 0.5 + 0.01 * number - 0.001) for number in range(6)]
    assert not any(stopping.passes(1, f"behind{number}", point) for number, point in enumerate(behind))
