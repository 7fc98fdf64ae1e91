"""Which settings are read: those that may be on the envelope, in either counting, as far as fewer images tell."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from models.baselines.base import Baseline
from sweep.baselines.points import Point
from sweep.results.points import RATES, Counting

Rates = Mapping[Counting, float]
"""Bits per pixel in each counting."""
ENOUGH = 0.99
"""Share of the uncompressed accuracy beyond which more bits are not worth reading."""
SLACK = 0.06
"""By how much the accuracy of a few images may be too low, or fall where the rate rises."""
UNREADABLE = 0.05
"""Accuracy below which lower qualities are not tried."""


def explore(
    baselines: Iterable[Baseline], rates: Callable[[Baseline], Rates], measure: Callable[[Baseline], Point], most: float
) -> list[tuple[Baseline, Point]]:
    """Walks each curve from its highest rate down, and measures where it may still reach the envelope found so far.

    What a setting reads bounds what lower settings of its curve can read, and the uncompressed accuracy bounds all.

    Args:
        baselines: settings of a curve stand together; curves that are likely strong come first.
        rates: a setting's, roughly.
        most: the uncompressed accuracy.
    """
    found = list[tuple[Baseline, Point]]()
    for _, curve in groupby(baselines, key=lambda codec: codec.name):
        settings = sorted(((rates(codec), codec) for codec in curve), key=lambda pair: pair[0]["whole"], reverse=True)
        bound = ENOUGH * most
        for rate, codec in settings:
            if all(reached([point for _, point in found], rate[counting], counting) >= bound for counting in RATES):
                continue
            point = measure(codec)
            found.append((codec, point))
            bound = min(bound, point.accuracy + SLACK)
            if point.accuracy < UNREADABLE:
                break
    return found


def reached(points: Iterable[Point], rate: float, counting: Counting) -> float:
    """The best accuracy at this rate or less; 0 if there is none."""
    return max((point.accuracy for point in points if point.rate(counting) <= rate), default=0.0)


def promising(points: Sequence[Point], most: float, *, slack: float, step: float) -> list[Point]:
    """Points that are at most `slack` below the envelope in one of the countings; one each `step` of the rate.

    Args:
        most: the uncompressed accuracy; points beyond the rate at which it is nearly reached are left out.
        step: the least ratio of neighboring rates, such as 1.1.
    """
    chosen = set[Point]()
    for counting in RATES:
        bins = dict[int, Point]()
        enough = [point.rate(counting) for point in points if point.accuracy >= ENOUGH * most]
        for point in points:
            rate = point.rate(counting)
            near = point.accuracy + slack >= reached(points, rate, counting)
            if near and point.accuracy >= UNREADABLE and rate <= min(enough, default=math.inf):
                place = math.floor(math.log(rate) / math.log(step))
                bins[place] = max(bins.get(place, point), point, key=lambda each: each.accuracy)
        chosen |= set(bins.values())
    return [point for point in points if point in chosen]
