"""Nodes of a sweep's points, for tests."""

from sweep.config import SweepConfig
from sweep.stages import strategies
from sweep.stages.tree import Node, Origins


def base_node(config: SweepConfig, rate_weight: float) -> Node:
    return strategies.of(config).base_node(config, rate_weight)


def trial_node(config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
    return strategies.of(config).trial_node(config, rate_weight, ocr_weight, origins)
