from sweep.baselines.points import Point, Reading, point


def test_a_point_is_means_in_both_countings() -> None:
    readings = [
        Reading(0, 100, 20, "a", "a", 1.0, 0.9, 30.0, 1.0, 2.0),
        Reading(1, 60, 0, "b", "bc", 0.5, None, 20.0, 3.0, 4.0),
    ]
    seen = point("webp-grey", "q1", readings, pixels=64)
    assert (seen.rate("whole"), seen.rate("own")) == (8 * 80 / 64, 8 * 70 / 64)
    assert seen == Point("webp-grey", "q1", 2, 10.0, 8.75, 0.75, 25.0, 2.0, 1.0, 3.0)
