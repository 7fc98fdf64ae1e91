"""What the connected Ray cluster offers, counting the nodes that its autoscaler may still start."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import ray
import yaml

from sweep.config import SweepConfig

BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster's configuration on the head node."""


def capacity(bootstrap: Path = BOOTSTRAP) -> Counter[str]:
    """Amount by resource, `CPU` and `GPU` among them: what is up, or what the cluster may grow to if that is more."""
    up = Counter({name: int(amount) for name, amount in ray.cluster_resources().items()})
    return up | _most(bootstrap.expanduser())


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
    fitting = [offered["CPU"] // cpus] + ([offered["GPU"] // gpus] if gpus else [])
    return replace(config, cpus_per_trial=cpus, gpus_per_trial=gpus), max(1, int(min(fitting)))
