"""Dominance, the front and its hypervolume in the rate-accuracy plane; pure functions."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

REFERENCE_BPP = 0.5
"""Hypervolume is measured against this rate and an accuracy of 0."""


class Objectives(NamedTuple):
    """A point of the plane: less rate and more accuracy are better."""

    bpp: float
    accuracy: float


def dominates(a: Objectives, b: Objectives) -> bool:
    """True where `a` is nowhere worse than `b` and somewhere better."""
    return a != b and a.bpp <= b.bpp and a.accuracy >= b.accuracy


def on_front(points: Sequence[Objectives]) -> list[bool]:
    """For each point, whether no other dominates it."""
    return [not any(dominates(other, point) for other in points) for point in points]


def front(points: Sequence[Objectives]) -> list[Objectives]:
    """The points that none dominates, each once, by rising rate."""
    return sorted({point for point, keep in zip(points, on_front(points), strict=True) if keep})


def hypervolume(points: Sequence[Objectives], reference_bpp: float = REFERENCE_BPP) -> float:
    """Area that the front dominates, in bpp times accuracy; points beyond the reference rate add nothing."""
    steps = [point for point in front(points) if point.bpp < reference_bpp]
    ends = [*(point.bpp for point in steps), reference_bpp][1:]
    return sum((end - point.bpp) * point.accuracy for point, end in zip(steps, ends, strict=True))


def accuracy_at(curve: Sequence[Objectives], bpp: float) -> float | None:
    """The curve's accuracy at a rate, linear in log rate between its points; None outside them."""
    rates = [point.bpp for point in curve]
    if not rates or not rates[0] <= bpp <= rates[-1]:
        return None
    right = bisect_left(rates, bpp)
    if rates[right] == bpp:
        return curve[right].accuracy
    a, b = curve[right - 1], curve[right]
    share = math.log(bpp / a.bpp) / math.log(b.bpp / a.bpp)
    return a.accuracy + share * (b.accuracy - a.accuracy)
