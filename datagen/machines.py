"""What the connected Ray cluster offers, counting nodes that its autoscaler may still start; tasks shared out to it."""

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

import ray
import yaml

logger = logging.getLogger(__name__)

Machine = Counter[str]
"""Whole `CPU` and `GPU` of one."""
Resources = Mapping[str, float]
"""What Ray says that a machine has, or what work asks for; also parts of a GPU."""
HEAD = "node:__internal_head__"
"""Ray's name of a resource that the head alone has."""
BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster's configuration on the head node."""
NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""File in which Kubernetes tells a pod its namespace."""
T = TypeVar("T")
Result = TypeVar("Result")


def machines(gpus: bool = True, bootstrap: Path = BOOTSTRAP) -> list[Machine]:
    """Each machine that is up; of an autoscaling cluster the head, and all that may be started.

    Args:
        gpus: whether they are for work that needs GPUs. Machines with some are not started for other work, which takes
            those that are up.
    """
    here, startable = up(), planned(bootstrap)
    if startable:
        here = [machine for machine in here if HEAD in machine or (machine.get("GPU") and not gpus)]
        startable = [machine for machine in startable if gpus or not machine.get("GPU")]
    return [Counter({name: int(machine.get(name, 0)) for name in ("CPU", "GPU")}) for machine in (*here, *startable)]


def up() -> list[Resources]:
    """All resources of each machine that runs."""
    nodes = cast("list[dict[str, Any]]", ray.nodes())
    return [node["Resources"] for node in nodes if node["Alive"]]


def cores() -> int:
    """How many tasks of one core, without a GPU, may run or wait at a time: more would start machines with GPUs."""
    return max(1, sum(machine["CPU"] for machine in machines(gpus=False)))


def shared_out(
    start: Callable[[T], ray.ObjectRef[Result]], items: Iterable[T], at_a_time: Callable[[], int] = cores
) -> Iterator[tuple[T, ray.ObjectRef[Result]]]:
    """Starts a task for each item, so many at a time, and gives both back as the task ends."""
    waiting: dict[ray.ObjectRef[Result], T] = {}
    left = iter(items)
    while True:
        for item in islice(left, max(0, at_a_time() - len(waiting))):
            waiting[start(item)] = item
        if not waiting:
            return
        [done] = cast("list[ray.ObjectRef[Result]]", ray.wait([*waiting])[0])  # pyright: ignore[reportUnknownMemberType]
        yield waiting.pop(done), done


def planned(bootstrap: Path = BOOTSTRAP) -> list[Resources]:
    """All that the cluster's autoscaler may have up at a time, the head aside."""
    file = bootstrap.expanduser()
    types = yaml.safe_load(file.read_text())["available_node_types"] if file.exists() else _kuberay()
    # Machines of one's own have no resources there, and are all up.
    sizes = [(node["resources"], node.get("max_workers", 0)) for node in types.values() if node.get("resources")]
    return [resources for resources, number in sizes for _ in range(number)]


@functools.cache
def _kuberay() -> dict[str, dict[str, Any]]:
    """Types of node of a KubeRay cluster that scales, as its autoscaler reads them."""
    name = os.environ.get("RAY_CLUSTER_NAME")
    if name is None or not NAMESPACE.exists():
        return {}
    from ray.autoscaler._private.kuberay import autoscaling_config, node_provider

    kubernetes = node_provider.KubernetesHttpApiClient(NAMESPACE.read_text().strip())
    try:
        spec = kubernetes.get(f"rayclusters/{name}")["spec"]
    # A pod of a cluster that does not scale may not ask.
    except (OSError, ValueError) as error:
        logger.warning("what KubeRay may start is not known: %s", error)
        return {}
    if not spec.get("enableInTreeAutoscaling"):
        return {}
    return autoscaling_config._generate_available_node_types_from_ray_cr_spec(spec)  # pyright: ignore[reportPrivateUsage]
