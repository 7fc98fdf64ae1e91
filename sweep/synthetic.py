"""A codec that is only a formula: what training would reach, how long it would take, and what would fail.

Its figures are those of the preset `cpu` on two cores, so that a simulated sweep resembles a real one.
"""

import math
import random
from dataclasses import dataclass, replace

from sweep.pareto import Objectives
from sweep.stages import Node

UNCOMPRESSED = 0.87
"""Accuracy that no rate exceeds."""
RATE, RATE_EXPONENT = 0.0107, 0.55
"""bpp over lambda, a power law."""
SCALE_BASE, SCALE_READING = 0.049, 0.038
"""Bits per pixel by which what is not read falls to 1/e: without and with the OCR loss, after endless training."""
LEARNED = 1500.0
"""Images after which a codec needs twice the bits of endless training."""
STAGE1_WORTH = 0.25
"""An image of stage 1, in images of stage 2."""
RATIO = 3.0
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

    image: float = 1 / 73
    """Training on one in stage 1."""
    reading: float = 2.4
    """An image of stage 2 over one of stage 1."""
    point: float = 12.0
    """Measuring a point."""
    together: float = 0.8
    """Speed of a worker that trains with others, over one alone."""

    def times(self, factor: float) -> "Workload":
        """That of a slower machine."""
        return replace(self, image=factor * self.image, point=factor * self.point)

    def seconds(self, node: Node, steps: int) -> float:
        """Of so many steps on one worker."""
        return steps * node.stage.batch_size * self.image * (self.reading if node.recognizer else 1.0)


def measured(node: Node, steps: int, draw: random.Random) -> Objectives:
    """Rate and accuracy of a point after so many steps of its last stage."""
    done = min(1.0, steps / node.stage.steps) if node.stage.steps else 1.0
    images = _images(node) - (1 - done) * node.stage.steps * node.stage.batch_size
    share = _share(node)
    scale = SCALE_BASE - share * (SCALE_BASE - SCALE_READING)
    scale *= (1 + math.sqrt(LEARNED / max(1.0, images))) * (1 + UNSETTLED * (1 - done))
    bpp = RATE / node.stage.rate_weight**RATE_EXPONENT * (1 + READING_RATE * share)
    read = UNCOMPRESSED * (1 - math.exp(-bpp / scale)) + draw.gauss(0, NOISE)
    return Objectives(bpp * math.exp(draw.gauss(0, 0.01)), min(1.0, max(0.0, read)))


def _share(node: Node) -> float:
    """How much of what the OCR loss can give the point has."""
    ratio = node.stage.ocr_weight / node.stage.rate_weight if node.recognizer else 0.0
    return ratio / (ratio + RATIO)


def _images(node: Node) -> float:
    """All that it and its ancestors have seen, in images of stage 2, of stage 1 for a base codec."""
    line = [node, *node.ancestors]
    seen = [each.stage.steps * each.stage.batch_size * (1.0 if each.recognizer else STAGE1_WORTH) for each in line]
    return sum(seen) / (1.0 if node.recognizer else STAGE1_WORTH)
