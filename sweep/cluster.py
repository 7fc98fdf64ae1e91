"""What the connected Ray cluster offers, counting the nodes that its autoscaler may still start."""

from collections import Counter
from pathlib import Path

import ray
import yaml

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


def concurrency(cpus: float, gpus: float, offered: Counter[str]) -> int:
    """How many workers of that size fit, at least one."""
    fitting = [offered["CPU"] // cpus] if cpus else []
    fitting += [offered["GPU"] // gpus] if gpus else []
    return max(1, int(min(fitting, default=1)))
