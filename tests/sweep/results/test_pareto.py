import random

import pytest

from sweep.results import pareto
from sweep.results.pareto import Objectives

POINTS = [Objectives(0.1, 0.5), Objectives(0.2, 0.8), Objectives(0.2, 0.7), Objectives(0.3, 0.6), Objectives(0.05, 0.1)]


def dominates(a: Objectives, b: Objectives) -> bool:
    return a != b and a.bpp <= b.bpp and a.accuracy >= b.accuracy


def test_the_front_holds_what_nothing_dominates() -> None:
    assert pareto.front(POINTS) == [Objectives(0.05, 0.1), Objectives(0.1, 0.5), Objectives(0.2, 0.8)]
    assert pareto.on_front(POINTS) == [True, True, False, False, True]


def test_twins_share_their_place_on_the_front() -> None:
    assert pareto.on_front([Objectives(0.1, 0.5)] * 2) == [True, True]
    assert pareto.front([Objectives(0.1, 0.5)] * 2) == [Objectives(0.1, 0.5)]


def test_hypervolume_is_the_dominated_area() -> None:
    assert pareto.hypervolume(POINTS) == pytest.approx(0.05 * 0.1 + 0.1 * 0.5 + 0.3 * 0.8)
    assert pareto.hypervolume([]) == 0
    assert pareto.hypervolume([Objectives(0.6, 1.0)]) == 0


def test_hypervolume_matches_counting() -> None:
    rng = random.Random(0)
    points = [Objectives(rng.random() / 2, rng.random()) for _ in range(20)]
    tries = [Objectives(rng.random() / 2, rng.random()) for _ in range(20_000)]
    hit = sum(any(p.bpp <= t.bpp and p.accuracy >= t.accuracy for p in points) for t in tries)
    assert pareto.hypervolume(points) == pytest.approx(0.5 * hit / len(tries), abs=0.01)


def test_a_dominated_point_changes_no_hypervolume() -> None:
    assert pareto.hypervolume([*POINTS, Objectives(0.25, 0.75)]) == pareto.hypervolume(POINTS)


def test_a_curve_is_read_between_its_points_only() -> None:
    curve = [Objectives(0.1, 0.4), Objectives(0.4, 0.8)]
    assert pareto.accuracy_at(curve, 0.2) == pytest.approx(0.6)
    assert pareto.accuracy_at(curve, 0.4) == 0.8
    assert pareto.accuracy_at(curve, 0.05) is None
    assert pareto.accuracy_at(curve, 0.5) is None
    assert pareto.accuracy_at([], 0.2) is None


def test_the_rate_of_an_accuracy_is_the_fronts() -> None:
    curve = [Objectives(0.1, 0.4), Objectives(0.4, 0.8)]
    assert pareto.rate_at(curve, 0.6) == pytest.approx(0.2)
    assert pareto.rate_at(curve, 0.4) == pytest.approx(0.1)
    assert pareto.rate_at(curve, 0.3) == pytest.approx(0.1)
    assert pareto.rate_at(curve, 0.9) is None


@pytest.mark.parametrize("factor", [0.3, 1.0, 2.0])
def test_bd_rate_is_the_factor_between_two_curves(factor: float) -> None:
    reference = [Objectives(0.05 * 1.5**step, 0.2 + 0.1 * step) for step in range(7)]
    curve = [Objectives(factor * point.bpp, point.accuracy) for point in reference]
    assert pareto.bd_rate(curve, reference) == pytest.approx(factor - 1)


def test_bd_rate_compares_what_both_reach_and_nothing_else() -> None:
    reference = [Objectives(0.1, 0.2), Objectives(0.2, 0.4), Objectives(0.4, 0.6)]
    assert pareto.bd_rate([Objectives(0.05, 0.3), Objectives(0.1, 0.9)], reference) is not None
    assert pareto.bd_rate([Objectives(0.05, 0.7), Objectives(0.1, 0.9)], reference) is None
    assert pareto.bd_rate([Objectives(0.05, 0.7)], reference) is None


def test_layers_are_fronts_of_what_is_left() -> None:
    draw = random.Random(0)
    points = [Objectives(draw.randrange(12) / 10, draw.randrange(12) / 12) for _ in range(80)]
    left = list(range(80))
    for layer in pareto.layers(points):
        kept = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        assert sorted(layer) == kept
        assert [points[i].bpp for i in layer] == sorted(points[i].bpp for i in kept)
        left = [i for i in left if i not in kept]
    assert not left
