"""The nodes of the connected Ray cluster, and what is carried out on each of them."""

# Ray leaves functions of its interface partly untyped.
# pyright: reportUnknownMemberType=false

import os
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from datagen import generate
from datagen.errors import DataError, reason
from sweep.errors import SweepError

Node = dict[str, Any]
"""As Ray describes it: `NodeID`, `NodeManagerAddress`, `Resources` and so on."""
T = TypeVar("T")
LOCAL = "local"
"""In place of an address: a Ray of one's own, whatever else runs on this machine."""
ANSWER_SECONDS = 5.0
"""Time in which the head of a cluster takes a connection."""
WORK_SECONDS = 180.0
"""Time in which a node starts a worker and carries out what is small."""


def alive() -> dict[str, Node]:
    """The nodes that are up by their addresses, with a port where several have one; that of this process first."""
    up = [node for node in cast("list[Node]", ray.nodes()) if node["Alive"]]
    here = ray.get_runtime_context().get_node_id()
    up.sort(key=lambda node: node["NodeID"] != here)
    addresses = [node["NodeManagerAddress"] for node in up]
    if len(set(addresses)) < len(up):
        addresses = [f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}" for node in up]
    return dict(zip(addresses, up, strict=True))


class _Hand:
    """A worker on a node."""

    def do(self, work: Callable[..., object], args: tuple[Any, ...]) -> object:
        return work(*args)


class Hands:
    """A worker on each of several nodes, which takes no core or GPU of theirs but sees all GPUs."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        """Starts them; the nodes go by names of the caller's."""
        self.lost: dict[str, str] = {}
        """Nodes whose worker has failed, and why; nothing more is asked of them."""
        self._hands = {name: _start(node) for name, node in nodes.items()}

    def do(self, work: Callable[..., T], *args: Any) -> dict[str, T]:
        """What a function returns on each node, by the node's name; all at once."""
        return self.each(work, dict.fromkeys(self._hands, args))

    def each(self, work: Callable[..., T], args: Mapping[str, tuple[Any, ...]]) -> dict[str, T]:
        """As `do`, with arguments of each node's own."""
        tasks = {name: hand.do.remote(work, args[name]) for name, hand in self._hands.items() if name not in self.lost}
        if tasks:
            ray.wait([*tasks.values()], num_returns=len(tasks), timeout=WORK_SECONDS)
        found: dict[str, T] = {}
        for name, task in tasks.items():
            try:
                found[name] = ray.get(task, timeout=0)
            except RayError as error:
                self.lost[name] = _reason(error)
        return found

    def end(self) -> None:
        """Ends the workers, which else would keep what they took of the GPUs' memory."""
        for hand in self._hands.values():
            ray.kill(hand)


@contextmanager
def hands(nodes: Mapping[str, Node]) -> Generator[Hands]:
    """Workers on the nodes for the length of the block."""
    found = Hands(nodes)
    try:
        yield found
    finally:
        found.end()


def _start(node: Node) -> Any:
    where: Any = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(num_cpus=0, num_gpus=0, scheduling_strategy=where)(_Hand).remote()


def _reason(error: RayError) -> str:
    """Why a worker failed, in a line."""
    if isinstance(error, GetTimeoutError):
        return f"no answer in {WORK_SECONDS:.0f} s"
    return str(error).strip().rpartition("\n")[2] or type(error).__name__


def address() -> str | None:
    """Where the cluster is that a sweep joins: RAY_ADDRESS, or what `ray start` has left on this machine; None: none.

    Raises:
        SweepError: RAY_ADDRESS is `auto`, and no cluster runs on this machine.
    """
    from ray._private import services

    try:
        found = cast("str | None", services.get_ray_address_from_environment(cast("str", None), None))
    except ConnectionError as error:
        raise SweepError("RAY_ADDRESS is auto, but no Ray cluster runs here; give HEAD:6379") from error
    return None if found in (None, LOCAL) else found


@contextmanager
def joined(address: str) -> Generator[None]:
    """In the block, this process is a driver of the cluster.

    Raises:
        SweepError: none answers there, or it takes no driver from here.
    """
    _check_answers(address)
    before = os.environ.get("RAY_ADDRESS")
    os.environ["RAY_ADDRESS"] = address
    with ExitStack() as held:
        try:
            held.enter_context(generate.ray_session())
        except (RayError, RuntimeError, DataError) as error:
            raise SweepError(
                f"the Ray cluster at {address} takes no driver from here ({reason(error)}); check that this machine "
                "has the cluster's token (ray get-auth-token), and the same Ray and Python"
            ) from error
        finally:
            if before is None:
                del os.environ["RAY_ADDRESS"]
            else:
                os.environ["RAY_ADDRESS"] = before
        yield


def _check_answers(address: str) -> None:
    """Nothing, if something listens there: Ray itself would try for a minute, and not say where."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise SweepError(
            f"no Ray cluster answers at {address} ({error}); give RAY_ADDRESS=HEAD:6379 of one that is up, or "
            "RAY_ADDRESS=local to work on this machine alone"
        ) from error
