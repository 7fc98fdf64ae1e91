"""The checks of all nodes of the connected cluster, and of what is to be equal on them."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from datagen.machines import planned, up
from models.recognizers.ensemble import RecognizerConfig
from sweep.checks import between, node, shared_folder
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
        out: the run's folder, a path that all nodes are to share.
    """
    alive = nodes.alive()
    more = f"; its autoscaler may have up {resources.listed(planned())}" if planned() else ""
    yield Finding("ok", "cluster", f"up are {resources.listed(up())}{more}")
    with nodes.hands(alive) as hands:
        versions = hands.do(between.versions)
        if versions:
            yield from between.compared(versions)
            yield from between.clocks(_clocks(hands))
            yield from _looked(hands, alive, out, recognizers)
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


def _looked(
    hands: Hands, alive: dict[str, Node], out: Path, recognizers: tuple[RecognizerConfig, ...]
) -> Iterator[Finding]:
    """What each node finds, and whether the nodes see what the others have written."""
    with ExitStack() as held:
        folder = None
        try:
            folder = held.enter_context(shared_folder.opened(out))
            held.enter_context(shared_folder.written_by_driver(folder))
        except OSError as error:
            yield shared_folder.unwritable(out, error)
        asked = {name: (_asked(each, out, folder, recognizers),) for name, each in alive.items()}
        found = hands.each(node.looked, asked)
        yield from gathered(found)
        if folder is not None:
            yield from _unseen(hands, alive, folder, found)


def _asked(node: Node, out: Path, folder: Path | None, recognizers: tuple[RecognizerConfig, ...]) -> Asked:
    cpus, gpus = (int(node["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
    return Asked(out, folder, recognizers, node["NodeID"], cpus, gpus)


def _unseen(hands: Hands, alive: dict[str, Node], folder: Path, found: dict[str, list[Finding]]) -> Iterator[Finding]:
    """A failure for each node that does not see what others have written, the driver included."""
    wrote = [
        name
        for name, said in found.items()
        if not any(each.check == "store" and each.status == "FAIL" for each in said)
    ]
    files = {alive[name]["NodeID"]: name for name in wrote}
    views = {"the driver": shared_folder.missing(folder, {*files})}
    views |= {name: left for name, left in hands.do(shared_folder.missing, folder, {*files}).items() if name in wrote}
    for viewer, left in views.items():
        if left:
            whose = ", ".join(files[file] for file in left)
            yield Finding(
                "FAIL", "store", f"{viewer} does not see what {whose} wrote to {folder.parent}", shared_folder.MOUNT
            )
