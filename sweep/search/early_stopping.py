"""Early stopping on the front: which trials are worth going on with, judged against the others at the same rung."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from sweep.results.pareto import Objectives, layers

REDUCTION = 3
"""One trial of so many goes on where they are equally good; rungs lie as far apart in steps."""
TINY = 1e-9
"""Bits per pixel of a codec that has collapsed."""
RECENT = 1000
"""Trials that one is judged against, the last ones at its rung."""
RUNGS = 2
"""Looks at a trial before its end."""


def rungs(steps: int) -> list[int]:
    """Steps after which a trial is measured on its way, rising."""
    found = (round(steps / REDUCTION**back) for back in range(RUNGS, 0, -1))
    return [step for step in found if 0 < step < steps]


class FrontStopping:
    """Asynchronous successive halving for two objectives.

    MO-ASHA (Schmucker et al., "Multi-objective asynchronous successive halving", 2021) lets the best third of a rung
    pass: by non-dominated sorting, then far apart before close together. Here whoever stands on the rung's front passes
    too, so that no part of the rate axis is given up.
    """

    def __init__(self) -> None:
        self._rungs: dict[int, dict[str, Objectives]] = {}

    def passes(self, rung: int, trial: str, reached: Objectives) -> bool:
        """Whether a trial goes on that has reached so much at a rung, which is the same share of every stage 2.

        Asked again, it is judged anew.
        """
        recent = self._rungs.setdefault(rung, {})
        recent.pop(trial, None)
        recent[trial] = reached
        if len(recent) > RECENT:
            del recent[next(iter(recent))]
        return len(recent) < REDUCTION or _is_among_the_best(len(recent) - 1, list(recent.values()))


def _is_among_the_best(index: int, points: Sequence[Objectives]) -> bool:
    places = math.ceil(len(points) / REDUCTION)
    for number, layer in enumerate(layers(points)):
        if index in layer:
            return number == 0 or index in islice(spread(layer, points), max(0, places))
        places -= len(layer)
    raise IndexError(index)


def spread(layer: Sequence[int], points: Sequence[Objectives]) -> Iterator[int]:
    """A layer's indexes, by rising rate, in another order: both ends, then each time the farthest in log rate."""
    rates = {index: math.log(max(points[index].bpp, TINY)) for index in layer}
    distances = dict.fromkeys(layer, math.inf)
    following = layer[0]
    while distances:
        del distances[following]
        yield following
        for index, distance in distances.items():
            distances[index] = min(distance, abs(rates[index] - rates[following]))
        following = max(reversed(distances), key=distances.__getitem__, default=following)
