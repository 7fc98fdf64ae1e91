"""What the connected Ray cluster offers, counting the nodes that its autoscaler may still start."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import ray
import yaml

from sweep.config import SweepConfig

BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster's configuration on the head node."""
LEAST_SHARE = 8
"""Images of a batch that a worker needs, or the work around them costs more than they do."""


def capacity(bootstrap: Path = BOOTSTRAP) -> Counter[str]:
    """Amount by resource, `CPU` and `GPU` among them: what is up, or what the cluster may grow to if that is more."""
    up = Counter({name: int(amount) for name, amount in ray.cluster_resources().items()})
    return up | _most(bootstrap.expanduser())


def cores() -> list[int]:
    """Of each machine that is up and works."""
    counts = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    return [count for count in counts if count]


def _most(bootstrap: Path) -> Counter[str]:
    if not bootstrap.exists():
        return Counter()
    most = Counter()
    for node in yaml.safe_load(bootstrap.read_text()).get("available_node_types", {}).values():
        for name, amount in node.get("resources", {}).items():
            most[name] += int(amount) * node.get("max_workers", 0)
    return most


def fit(config: SweepConfig, offered: Counter[str]) -> tuple[SweepConfig, int]:
    """The configuration with a trial's needs cut to what is offered, and how many such trials run at a time."""
    cpus = max(1, min(config.cpus_per_trial, offered["CPU"]))
    gpus = config.gpus_per_trial if offered["GPU"] else 0.0
    # A fifth of a GPU is a little more than that in floating point.
    fitting = [offered["CPU"] // cpus] + ([int(offered["GPU"] / gpus + 1e-6)] if gpus else [])
    return replace(config, cpus_per_trial=cpus, gpus_per_trial=gpus), max(1, min(fitting))


def team(config: SweepConfig, offered: Counter[str], machines: list[int], batch_size: int) -> tuple[SweepConfig, int]:
    """The same for a stage that all train together: a worker takes a GPU, or cores of one machine.

    One core each is fastest while a worker's share of the batch is not too small.
    """
    if config.gpus_per_trial:
        return fit(replace(config, gpus_per_trial=1.0), offered)
    workers = max(1, batch_size // LEAST_SHARE)
    threads = min(*machines, math.ceil(sum(machines) / workers))
    return replace(config, cpus_per_trial=threads), sum(count // threads for count in machines)
