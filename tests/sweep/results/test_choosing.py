"""Points are chosen by validation figures; what cannot be had is refused with the nearest that can."""

import re

import polars as pl
import pytest
from rows import frame

from sweep.errors import SweepError
from sweep.results import choosing
from sweep.results.point import Point

CURVE = {"a1": (0.05, 0.3), "a2": (0.1, 0.7), "b1": (0.2, 0.8), "c1": (0.4, 0.85)}


def rows(**curve: tuple[float, float]) -> pl.DataFrame:
    """Trained points at these figures of validation images. Those of test images mislead: the order is reversed."""
    test = {"status": "complete", "kind": "tfic"}
    found = [
        test | {"point_id": name, "val_bpp": bpp, "val_accuracy": accuracy, "bpp": 1 - bpp, "accuracy": 1 - accuracy}
        for name, (bpp, accuracy) in curve.items()
    ]
    return frame(*found).with_columns(on_front=True)


FRONT = choosing.front_of(rows(**CURVE))


@pytest.mark.parametrize(("max_bpp", "chosen"), [(0.05, "a1"), (0.15, "a2"), (9.0, "c1")])
def test_the_most_accurate_point_within_the_rate_is_chosen(max_bpp: float, chosen: str) -> None:
    assert choosing.within(FRONT, max_bpp).point_id == chosen


@pytest.mark.parametrize(("min_accuracy", "chosen"), [(0.0, "a1"), (0.31, "a2"), (0.7, "a2"), (0.85, "c1")])
def test_the_smallest_point_that_reads_well_enough_is_chosen(min_accuracy: float, chosen: str) -> None:
    assert choosing.reaching(FRONT, min_accuracy).point_id == chosen


def test_what_cannot_be_had_names_what_can() -> None:
    front = choosing.front_of(rows(a=(0.1 / 3, 1 / 3), b=(0.1, 2 / 3)))
    with pytest.raises(SweepError, match=r"the smallest needs 0\.0334") as refused:
        choosing.within(front, 0.01)
    assert choosing.within(front, float(re.findall(r"--max-bpp ([\d.]+)", str(refused.value))[0])).point_id == "a"
    with pytest.raises(SweepError, match=r"the best reads 0\.6666") as refused:
        choosing.reaching(front, 0.9)
    named = float(re.findall(r"--min-accuracy ([\d.]+)", str(refused.value))[0])
    assert choosing.reaching(front, named).point_id == "b"


def test_an_empty_front_is_named() -> None:
    with pytest.raises(SweepError, match="the front is empty"):
        choosing.front_of(rows(**CURVE).clear())


def test_a_point_of_an_early_release_is_judged_on_the_test_images() -> None:
    old = rows(**CURVE).with_columns(val_bpp=None, val_accuracy=None)
    front = choosing.front_of(old)
    assert [point.point_id for point in front] == ["c1", "b1", "a2", "a1"]
    assert choosing.within(front, 0.65).point_id == "c1"


@pytest.mark.parametrize(("bits", "shares"), [(1.0, 1.0), (0.1, 1.0), (1.0, 0.1)])
def test_the_knee_is_the_same_whatever_the_axes_units(bits: float, shares: float) -> None:
    scaled = {name: (bits * bpp, shares * accuracy) for name, (bpp, accuracy) in CURVE.items()}
    assert choosing.knee(choosing.front_of(rows(**scaled))).point_id == "a2"


@pytest.mark.parametrize("names", [("a1",), ("a1", "c1"), ("a1", "sag", "c1")])
def test_a_front_that_bends_nowhere_outward_has_no_knee(names: tuple[str, ...]) -> None:
    curve = {name: (CURVE | {"sag": (0.2, 0.31)})[name] for name in names}
    with pytest.raises(SweepError, match=f"no knee: of {len(names)} points, none .* --point {names[-1]}"):
        choosing.knee(choosing.front_of(rows(**curve)))


def test_a_point_is_named_by_the_beginning_of_its_id() -> None:
    table = rows(**CURVE, a11=(0.3, 0.1))
    assert choosing.named(table, "b").point_id == "b1"
    assert choosing.named(table, "a1").point_id == "a1"
    assert choosing.named(table.with_columns(on_front=False), "a2").point_id == "a2"
    with pytest.raises(SweepError, match="3 ids begin with 'a'; give more of a1, a2, a11"):
        choosing.named(table, "a")


def test_a_point_that_is_not_there_is_refused_with_the_nearest() -> None:
    table = rows(abcd1=(0.1, 0.3), abce2=(0.2, 0.4), f0123=(0.3, 0.5))
    with pytest.raises(SweepError, match="no complete trained point's id begins with 'abcf2'; the nearest: abce2, "):
        choosing.named(table, "abcf2")
    for column, value in (("status", "stopped"), ("kind", "classical")):
        with pytest.raises(SweepError, match="begins with 'f0'; the nearest: there is none"):
            choosing.named(table.with_columns(pl.lit(value).alias(column)), "f0")


@pytest.mark.parametrize(
    ("name", "beside"), [("a1", (None, "a2")), ("b1", ("a2", "c1")), ("c1", ("b1", None)), ("off", ("a2", "b1"))]
)
def test_a_points_neighbors_are_the_front_next_to_it(name: str, beside: tuple[str | None, str | None]) -> None:
    [point] = choosing.front_of(rows(**{name: (CURVE | {"off": (0.15, 0.1)})[name]}))
    found: tuple[Point | None, Point | None] = choosing.neighbors(FRONT, point)
    assert tuple(each and each.point_id for each in found) == beside
