"""How much work training and measuring are, in images of stage 1: what progress counts."""

from collections.abc import Iterable

from sweep.config import StageConfig, SweepConfig
from sweep.stages.tree import Node

RECOGNIZER_COST = 3.0
"""An image of stage 2 over one of stage 1: the recognizer runs too. Measured on two cores."""
TEST_COST = 5.5
"""Measuring an image over training on one in stage 1, likewise."""


def images(steps: int, stage: StageConfig, *, reads: bool) -> float:
    """Work of so many steps of a stage, in images of stage 1."""
    return steps * stage.batch_size * (RECOGNIZER_COST if reads else 1.0)


def training(nodes: Iterable[Node]) -> float:
    """Work of training nodes whole."""
    return sum(images(node.stage.steps, node.stage, reads=node.recognizer is not None) for node in nodes)


def measuring(config: SweepConfig) -> float:
    """Work of measuring a point."""
    return TEST_COST * (config.data.test + min(config.search.val_images, config.data.val))
