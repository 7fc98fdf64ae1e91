import pytest

from sweep.baselines.points import Point, Reading, front, point


def at(name: str, bpp: float, accuracy: float, own: float | None = None) -> Point:
    return Point(name, "q1", 1, bpp, bpp if own is None else own, accuracy, None, 1.0, 0.0, None)


def test_a_point_is_means_in_both_countings() -> None:
    readings = [Reading(0, 100, 20, "a", "a", 1.0, 30.0, 1.0, 2.0), Reading(1, 60, 0, "b", "bc", 0.5, 20.0, 3.0, 4.0)]
    seen = point("webp-grey", "q1", readings, pixels=64)
    assert (seen.rate("whole"), seen.rate("own")) == (8 * 80 / 64, 8 * 70 / 64)
    assert seen == Point("webp-grey", "q1", 2, 10.0, 8.75, 0.75, 25.0, 2.0, 1.0, 3.0)


def test_each_counting_has_a_front_of_its_own() -> None:
    found = [at("webp", 0.1, 0.5), at("avif", 0.2, 0.5, own=0.05), at("jpeg", 0.3, 0.4)]
    assert [each.name for each in front(found, "whole")] == ["webp"]
    assert [each.name for each in front(found, "own")] == ["avif"]


@pytest.mark.parametrize("counting", ["whole", "own"])
def test_without_points_there_is_no_front(counting: str) -> None:
    assert front([], "own" if counting == "own" else "whole") == []
