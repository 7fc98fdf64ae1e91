import polars as pl
import pytest

from sweep.baselines.points import SCHEMA, Point, Reading, envelope, front, point, points


def at(name: str, bpp: float, accuracy: float, own: float | None = None) -> Point:
    return Point(name, "q1", 1, bpp, bpp if own is None else own, accuracy, None, 1.0, 0.0, None)


def test_a_point_is_means_in_both_countings() -> None:
    readings = [Reading(0, 100, 20, "a", 1.0, 30.0, 1.0, 2.0), Reading(1, 60, 0, "b", 0.5, 20.0, 3.0, 4.0)]
    seen = point("webp-grey", "q1", readings, pixels=64)
    assert (seen.rate("whole"), seen.rate("own")) == (8 * 80 / 64, 8 * 70 / 64)
    assert seen == Point("webp-grey", "q1", 2, 10.0, 8.75, 0.75, 25.0, 2.0, 1.0, 3.0)


def test_points_come_back_from_the_table() -> None:
    rows = [
        ("val", "a", "q1", 0, 8, 0, "x", 1.0, None, 1.0, None),
        ("test", "a", "q1", 0, 16, 4, "x", 0.5, 9.0, 1.0, 1.0),
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    [val], [test] = (points(frame, split, 64) for split in ("val", "test"))
    assert (val.bpp, val.psnr_db, val.decode_ms) == (1.0, None, None)
    assert (test.bpp, test.bpp_own, test.psnr_db) == (2.0, 1.5, 9.0)


def test_each_counting_has_a_front_of_its_own() -> None:
    found = [at("webp", 0.1, 0.5), at("avif", 0.2, 0.5, own=0.05), at("jpeg", 0.3, 0.4)]
    assert [each.name for each in front(found, "whole")] == ["webp"]
    assert [each.name for each in front(found, "own")] == ["avif"]


def test_the_envelope_is_chosen_without_the_test_images() -> None:
    validation = [at("chosen", 0.1, 0.5), at("dominated", 0.1, 0.4), at("unmeasured", 0.2, 0.9)]
    test = [at("chosen", 0.11, 0.3), at("dominated", 0.11, 0.99)]
    assert envelope(validation, test, "whole") == [at("chosen", 0.11, 0.3)]


@pytest.mark.parametrize("counting", ["whole", "own"])
def test_without_points_there_is_no_front(counting: str) -> None:
    assert front([], "own" if counting == "own" else "whole") == []
