"""The checks of all nodes of the connected cluster, and of what is to be equal on them."""

import time
from collections.abc import Iterator
from pathlib import Path

from datagen.machines import planned, up
from models.recognizers.ensemble import RecognizerConfig
from sweep.checks import between, node
from sweep.checks.between import Clock
from sweep.checks.finding import Finding, gathered
from sweep.checks.node import Asked
from sweep.cluster import nodes, resources
from sweep.cluster.nodes import Hands, Node

PINGS = 5
"""Times that nodes are asked what time it is; the quickest answer counts."""
INSTALL = "copy the project's folder there, run uv sync --no-dev in it, and start Ray out of its environment"


def findings(out: Path, recognizers: tuple[RecognizerConfig, ...]) -> Iterator[Finding]:
    """What is found, one after the other.

    Args:
        out: the run's folder.
    """
    alive = nodes.alive()
    more = f"; its autoscaler may have up {resources.listed(planned())}" if planned() else ""
    yield Finding("ok", "cluster", f"up are {resources.listed(up())}{more}")
    with nodes.hands(alive) as hands:
        versions = hands.do(between.versions)
        if versions:
            yield from between.compared(versions)
            yield from between.clocks(_clocks(hands))
            asked = {name: (_asked(each, out, recognizers),) for name, each in alive.items()}
            yield from gathered(hands.each(node.looked, asked))
        for name, why in hands.lost.items():
            yield Finding("FAIL", "node", f"{name} cannot work ({why})", INSTALL)


def _clocks(hands: Hands) -> dict[str, Clock]:
    """Each node's clock against the driver's, as the quickest of several answers tells."""
    found: dict[str, Clock] = {}
    for _ in range(PINGS):
        asked = time.time()
        answers = hands.do(time.time)
        taken = time.time() - asked
        for name, then in answers.items():
            if name not in found or taken < found[name].unsure:
                found[name] = Clock(then - asked - taken / 2, taken)
    return found


def _asked(node: Node, out: Path, recognizers: tuple[RecognizerConfig, ...]) -> Asked:
    cpus, gpus = (int(node["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
    return Asked(out, recognizers, cpus, gpus)
