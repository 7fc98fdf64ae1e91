"""A codec that is only a formula: what training would reach, how long it would take, and what would fail.

Its figures are those of the preset `cpu` on two cores, and of a twentieth to all of its images split by each strategy,
so that a simulated sweep resembles a real one.
"""

import math
import random
from dataclasses import dataclass, replace
from typing import Literal

from sweep.results.pareto import Objectives
from sweep.stages.tree import Node

UNCOMPRESSED = 0.87
"""Accuracy that no rate exceeds."""
RATE, RATE_EXPONENT = 0.021, 0.4
"""bpp over lambda, a power law."""
SCALE = 0.0596
"""Bits per pixel by which what is not read falls to 1/e, after an endless stage 1."""
LEARNED, LEARNING_EXPONENT = 5400.0, 1.03
"""Images after which a stage 1 needs twice the bits of an endless one, and how fast the rest falls with more."""
GAIN, GAINED = 0.41, 25_000.0
"""Share of those bits that an endless stage 2 saves, and images after which it saves half as much."""
RATIO = 0.02
"""beta over lambda at which half of what the OCR loss can give is had."""
READING_RATE = 0.3
"""Share by which the OCR loss alone raises the rate."""
UNSETTLED = 0.1
"""Share of bits that a learning rate which has not fallen yet costs."""
NOISE = 0.02
"""Standard error of an accuracy on a few hundred images."""


@dataclass(frozen=True)
class Workload:
    """How long things take on one worker, in seconds."""

    image: float = 1 / 200
    """Training on one image in stage 1."""
    reading: float = 2.6
    """Cost of an image in stage 2 over one in stage 1."""
    point: float = 9.5
    """Measuring a point."""
    together: float = 0.75
    """Speed of a worker that trains with others, over one alone."""
    share: int = 8
    """Images of a batch that a worker needs to train with others."""

    def times(self, factor: float) -> "Workload":
        """The workload of a machine that takes so many times as long."""
        return replace(self, image=factor * self.image, point=factor * self.point)

    def seconds(self, node: Node, steps: int) -> float:
        """Seconds that so many steps of a node take on one worker."""
        return steps * node.stage.batch_size * self.image * (self.reading if node.recognizer else 1.0)


def measured(node: Node, steps: int, draw: random.Random) -> Objectives:
    """Rate and accuracy of a point after so many steps of its last stage."""
    done = min(1.0, steps / node.stage.steps) if node.stage.steps else 1.0
    share = _share(node)
    bpp = RATE / node.stage.rate_weight**RATE_EXPONENT * (1 + READING_RATE * share)
    scale = SCALE * (1 + (LEARNED / max(1.0, _images(node, done, 1))) ** LEARNING_EXPONENT)
    taught = _images(node, done, 2)
    scale *= (1 - share * GAIN * taught / (taught + GAINED)) * (1 + UNSETTLED * (1 - done))
    read = UNCOMPRESSED * (1 - math.exp(-bpp / scale)) + draw.gauss(0, NOISE)
    return Objectives(bpp * math.exp(draw.gauss(0, 0.01)), min(1.0, max(0.0, read)))


def _share(node: Node) -> float:
    """Share of what the OCR loss can give that a point has, by its ratio of weights."""
    ratio = node.stage.ocr_weight / node.stage.rate_weight if node.recognizer else 0.0
    return ratio / (ratio + RATIO)


def _images(node: Node, done: float, stage: Literal[1, 2]) -> float:
    """Images that a node and its ancestors have seen in one of the stages, when a share of the node's steps is done."""
    line = [(node, done), *((ancestor, 1.0) for ancestor in node.ancestors)]
    wanted = [(each, part) for each, part in line if (each.recognizer is None) == (stage == 1)]
    return sum(part * each.stage.steps * each.stage.batch_size for each, part in wanted)
