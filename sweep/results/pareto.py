"""Dominance, the front and its hypervolume in the rate-accuracy plane; pure functions."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from scipy.interpolate import PchipInterpolator  # pyright: ignore[reportMissingTypeStubs]

REFERENCE_BPP = 0.5
"""Hypervolume is measured against this rate and an accuracy of 0."""


class Objectives(NamedTuple):
    """A point of the plane: less rate and more accuracy are better."""

    bpp: float
    accuracy: float


def on_front(points: Sequence[Objectives]) -> list[bool]:
    """Tells of each point whether the point lies on the front, where no other dominates it."""
    kept = set(layers(points)[0] if points else ())
    return [index in kept for index in range(len(points))]


def layers(points: Sequence[Objectives]) -> list[list[int]]:
    """Indexes of the points on the front, then of those on the front of the rest, and so on; each by rising rate."""
    indexes: dict[Objectives, list[int]] = {}
    for index, point in enumerate(points):
        indexes.setdefault(point, []).append(index)
    found: list[list[int]] = []
    # Less each layer's highest accuracy so far, which falls from layer to layer.
    negated: list[float] = []
    for point in sorted(indexes, key=lambda point: (point.bpp, -point.accuracy)):
        layer = bisect_right(negated, -point.accuracy)
        if layer == len(found):
            found.append([])
            negated.append(0.0)
        found[layer] += indexes[point]
        negated[layer] = -point.accuracy
    return found


def front(points: Sequence[Objectives]) -> list[Objectives]:
    """The points that no other point dominates, each once, by rising rate."""
    return sorted({point for point, keep in zip(points, on_front(points), strict=True) if keep})


def hypervolume(points: Sequence[Objectives], reference_bpp: float = REFERENCE_BPP) -> float:
    """Area that the front dominates, in bpp times accuracy; points beyond the reference rate add nothing."""
    steps = [point for point in front(points) if point.bpp < reference_bpp]
    ends = [*(point.bpp for point in steps), reference_bpp][1:]
    return sum(((end - point.bpp) * point.accuracy for point, end in zip(steps, ends, strict=True)), 0.0)


def rate_at(curve: Sequence[Objectives], accuracy: float) -> float | None:
    """The least rate at which a front reaches an accuracy, log rate linear between points; None if it never does."""
    for a, b in zip([None, *curve], curve, strict=False):
        if b.accuracy >= accuracy:
            if a is None or a.accuracy == b.accuracy:
                return b.bpp
            share = (accuracy - a.accuracy) / (b.accuracy - a.accuracy)
            return a.bpp * (b.bpp / a.bpp) ** share
    return None


def bd_rate(curve: Sequence[Objectives], reference: Sequence[Objectives]) -> float | None:
    """Mean change of rate at equal accuracy from `reference` to `curve`, -0.7 being 70 % less; None without overlap.

    Bjontegaard's measure on fronts: log rate as a monotone cubic (PCHIP) of accuracy, averaged over the accuracies
    that both reach.
    """
    if min(len(front(curve)), len(front(reference))) < 2:
        return None
    gap = _mean_gap(_log_rate(curve), _log_rate(reference))
    return None if gap is None else math.exp(gap) - 1


def bd_accuracy(curve: Sequence[Objectives], reference: Sequence[Objectives]) -> float | None:
    """Mean change of accuracy at equal rate from `reference` to `curve`, 0 to 1; None without overlap.

    Bjontegaard's measure on fronts: accuracy as a monotone cubic (PCHIP) of log rate, averaged over the log rates that
    both reach.
    """
    if min(len(front(curve)), len(front(reference))) < 2:
        return None
    return _mean_gap(_accuracy(curve), _accuracy(reference))


def _mean_gap(curve: PchipInterpolator, reference: PchipInterpolator) -> float | None:
    """Mean height of one curve over another where both are defined; None where they nowhere are."""
    low, high = max(curve.x[0], reference.x[0]), min(curve.x[-1], reference.x[-1])
    if low >= high:
        return None
    mine, theirs = (_integral(side, low, high) / (high - low) for side in (curve, reference))
    return mine - theirs


def _accuracy(curve: Sequence[Objectives]) -> PchipInterpolator:
    """Accuracy over log rate, along the front."""
    # Rates that differ by rounding have one logarithm: the more accurate point, which comes last, stands for both.
    by_rate = {math.log(point.bpp): point.accuracy for point in front(curve)}
    return PchipInterpolator(list(by_rate), list(by_rate.values()))


def _integral(curve: PchipInterpolator, low: float, high: float) -> float:
    return float(curve.integrate(low, high))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _log_rate(curve: Sequence[Objectives]) -> PchipInterpolator:
    """Log rate over accuracy, along the front."""
    points = front(curve)
    return PchipInterpolator([point.accuracy for point in points], [math.log(point.bpp) for point in points])


def accuracy_at(curve: Sequence[Objectives], bpp: float) -> float | None:
    """The accuracy of a curve at a rate, linear in log rate between points; None outside the rates of the curve."""
    rates = [point.bpp for point in curve]
    if not rates or not rates[0] <= bpp <= rates[-1]:
        return None
    right = bisect_left(rates, bpp)
    if rates[right] == bpp:
        return curve[right].accuracy
    a, b = curve[right - 1], curve[right]
    share = math.log(bpp / a.bpp) / math.log(b.bpp / a.bpp)
    return a.accuracy + share * (b.accuracy - a.accuracy)
