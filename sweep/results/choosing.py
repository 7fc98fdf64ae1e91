"""Which point of a run is wanted: chosen by figures of the validation images, so that those of the test images are
nobody's luck."""

import difflib
import math
from collections.abc import Sequence

import polars as pl

from sweep.errors import SweepError
from sweep.results import points
from sweep.results.pareto import Objectives, accuracy_at
from sweep.results.point import Point

SHOWN = 4
"""Ids that a message names at most."""


def judged(point: Point) -> Objectives:
    """Rate and accuracy on the validation images; on the test images where an early release measured no others."""
    if point.val is not None:
        return point.val.objectives
    return Objectives(point.measured.bpp, point.measured.accuracy)


def front_of(frame: pl.DataFrame) -> list[Point]:
    """The points of a table's front, by rising rate on the validation images.

    Raises:
        SweepError: there is none.
    """
    found = points.listed(frame.filter("on_front"))
    if not found:
        raise SweepError("the front is empty: no trained point is complete; python -m sweep.run --resume goes on")
    return sorted(found, key=judged)


def within(front: Sequence[Point], max_bpp: float) -> Point:
    """The most accurate point of a front within a rate.

    Raises:
        SweepError: every point needs more bits.
    """
    fitting = [point for point in front if judged(point).bpp <= max_bpp]
    if not fitting:
        least = math.ceil(1e4 * min(judged(point).bpp for point in front)) / 1e4
        raise SweepError(
            f"no point of the front stays within {max_bpp:g} bpp; the smallest needs {least:.4f} on validation "
            f"images: give --max-bpp {least:.4f}, or more"
        )
    return max(fitting, key=lambda point: judged(point).accuracy)


def reaching(front: Sequence[Point], min_accuracy: float) -> Point:
    """The point of a front with the lowest rate among those that read well enough.

    Raises:
        SweepError: none reads so well.
    """
    fitting = [point for point in front if judged(point).accuracy >= min_accuracy]
    if not fitting:
        most = math.floor(1e4 * max(judged(point).accuracy for point in front)) / 1e4
        raise SweepError(
            f"no point of the front reaches an accuracy of {min_accuracy:g}; the best reads {most:.4f} on validation "
            f"images: give --min-accuracy {most:.4f}, or less"
        )
    return min(fitting, key=lambda point: judged(point).bpp)


def knee(front: Sequence[Point]) -> Point:
    """The point of a front highest above the chord between the front's ends, over log rate.

    In that plane the highest above the chord is the farthest from it too, in whatever units the axes are.

    Raises:
        SweepError: no point lies above the chord.
    """
    places = {judged(point): point for point in front}
    ends = min(places), max(places)
    heights = {place: place.accuracy - (accuracy_at(ends, place.bpp) or 0.0) for place in places}
    best = max(heights, key=lambda place: heights[place])
    if best in ends or heights[best] <= 0:
        raise SweepError(
            f"the front has no knee: of {len(front)} points, none lies above the chord between the first and the "
            f"last; give --max-bpp, or --point {places[ends[1]].point_id}, the most accurate one"
        )
    return places[best]


def named(frame: pl.DataFrame, prefix: str) -> Point:
    """The complete point of a trained codec that is named by an id, or by the beginning of an id.

    Raises:
        SweepError: there is no such point, or several.
    """
    trained = frame.filter(pl.col("kind").is_in(["base", "tfic"]), pl.col("status") == "complete")
    found = [point for point in points.listed(trained) if point.point_id.startswith(prefix)]
    exact = [point for point in found if point.point_id == prefix]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if found:
        raise SweepError(
            f"{len(found)} ids begin with {prefix!r}; give more of {_listed([each.point_id for each in found])}"
        )
    near = difflib.get_close_matches(prefix, trained["point_id"], n=SHOWN, cutoff=0.0)
    raise SweepError(f"no complete trained point's id begins with {prefix!r}; the nearest: {_listed(near)}")


def neighbors(front: Sequence[Point], point: Point) -> tuple[Point | None, Point | None]:
    """The points of a front next below and next above a point in rate; None where there is none."""
    others = [each for each in front if each.point_id != point.point_id]
    below = [each for each in others if judged(each) < judged(point)]
    above = [each for each in others if judged(each) >= judged(point)]
    return (below[-1] if below else None), (above[0] if above else None)


def _listed(ids: Sequence[str]) -> str:
    more = ", ..." if len(ids) > SHOWN else ""
    return (", ".join(ids[:SHOWN]) or "there is none") + more
