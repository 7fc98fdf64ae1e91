"""How much work training and measuring are, in images of stage 1: what progress counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sweep.config import StageConfig, SweepConfig
from sweep.stages import strategies
from sweep.stages.tree import Node

RECOGNIZER_COST = 3.0
"""An image of stage 2 over one of stage 1: the recognizer runs too. Measured on two cores."""
TEST_COST = 5.5
"""Measuring an image over training on one in stage 1, likewise."""


class Costs(NamedTuple):
    """Work on an image over training on one in stage 1."""

    reading: float = RECOGNIZER_COST
    """Training on one in stage 2."""
    testing: float = TEST_COST
    """Measuring an image."""


USUAL = Costs()


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds that the parts of a sweep take on a cluster."""

    stage1: float
    """A step of stage 1, by whoever trains it in this sweep: all workers together, or a trial's."""
    stage2: float
    """A step of stage 2, likewise."""
    polish: float = 0.0
    """A step that a trial adds to the stage 2 that all have trained."""
    team: float
    """Until all workers together begin to train."""
    start: float
    """Until the workers of trials begin."""
    point: float
    """Measuring a point, while others are measured beside it."""
    reading: float
    """A point's reading by held-out readers, likewise; 0 where there are none."""
    places: int
    """Trials at a time."""


def costs(config: SweepConfig, pace: Pace) -> Costs:
    """The costs on a cluster whose pace was measured."""
    image = pace.stage1 / config.stage1.batch_size
    # Where all workers train together, that alone takes every place.
    beside = pace.places if strategies.of(config).conditions else 1
    reading = pace.stage2 / config.stage2.batch_size / image
    return Costs(reading, pace.point / beside / _measured(config) / image)


def images(steps: int, stage: StageConfig, *, reads: bool, costs: Costs = USUAL) -> float:
    """Work of so many steps of a stage, in images of stage 1."""
    return steps * stage.batch_size * (costs.reading if reads else 1.0)


def training(nodes: Iterable[Node], costs: Costs = USUAL) -> float:
    """Work of training nodes whole."""
    return sum(images(node.stage.steps, node.stage, reads=node.recognizer is not None, costs=costs) for node in nodes)


def measuring(config: SweepConfig, costs: Costs = USUAL) -> float:
    """Work of measuring a point."""
    return costs.testing * _measured(config)


def _measured(config: SweepConfig) -> int:
    """Images on which a point is measured."""
    return config.data.test + min(config.search.val_images, config.data.val)
