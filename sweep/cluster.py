"""What the connected Ray cluster offers, counting the nodes that its autoscaler may still start."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import ray
import torch
import yaml

from sweep import footprint
from sweep.config import SweepConfig

HEAD = "node:__internal_head__"
"""Ray's name of a resource that the head alone has."""
BOOTSTRAP = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster's configuration on the head node."""
LEAST_SHARE = {"CPU": 8, "GPU": 256}
"""Images of a batch that a worker needs, or the work around them costs more than they do; on a GPU, where one worker
alone repeats what it recorded, and several start kernel by kernel."""
GLANCE = 0.01
"""Share of a GPU that a look at it takes: another sweep's trials may leave no whole one for hours."""
THREADS = 2
"""Of a worker without a GPU, where as many cores can be shared out so: it trains faster than two of one thread do."""


def machines(bootstrap: Path = BOOTSTRAP) -> list[Counter[str]]:
    """`CPU` and `GPU` of each machine that is up; of an autoscaling cluster the head, and all that it may start."""
    up = [Counter(node["Resources"]) for node in ray.nodes() if node["Alive"]]
    planned = list(_planned(bootstrap.expanduser()))
    if planned:
        up = [machine for machine in up if HEAD in machine]
    return [Counter({name: int(machine[name]) for name in ("CPU", "GPU")}) for machine in (*up, *planned)]


def _planned(bootstrap: Path) -> Iterator[Counter[str]]:
    types = yaml.safe_load(bootstrap.read_text())["available_node_types"] if bootstrap.exists() else {}
    for node in types.values():
        # Machines of one's own have none there, and are all up.
        if resources := node.get("resources"):
            yield from [Counter(resources)] * node.get("max_workers", 0)


def gpu_memory() -> int:
    """Bytes that are free on one of the cluster's GPUs; an autoscaler may have to start it first."""
    return ray.get(ray.remote(num_cpus=0, num_gpus=GLANCE)(_free).remote())


def _free() -> int:
    return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0


def sharing(config: SweepConfig, machines: list[Counter[str]], memory: Callable[[], int] = gpu_memory) -> SweepConfig:
    """The configuration with a trial's share of a GPU by its memory, where it leaves that open."""
    if not (config.shares_gpus and config.gpus_per_trial and any(machine["GPU"] for machine in machines)):
        return config
    return replace(config, gpus_per_trial=1 / footprint.trials(config, memory()))


def fit(config: SweepConfig, machines: list[Counter[str]]) -> tuple[SweepConfig, int]:
    """The configuration with a trial's needs cut to what a machine has, and how many such trials run at a time.

    Cores are given up before GPUs lie idle.
    """
    gpus = config.gpus_per_trial if any(machine["GPU"] for machine in machines) else 0.0
    able = [machine for machine in machines if machine["CPU"] and (machine["GPU"] or not gpus)]
    cpus = min([config.cpus_per_trial, *(_cores_each(machine, gpus) for machine in able)])
    trials = sum(_trials(machine, cpus, gpus) for machine in able)
    return replace(config, cpus_per_trial=cpus, gpus_per_trial=gpus), max(1, trials)


def _cores_each(machine: Counter[str], gpus: float) -> int:
    """The most for each of a machine's trials while all of its GPUs are used."""
    return max(1, machine["CPU"] // _on_gpus(machine, gpus)) if gpus else machine["CPU"]


def _trials(machine: Counter[str], cpus: int, gpus: float) -> int:
    by_cores = machine["CPU"] // cpus
    return min(by_cores, _on_gpus(machine, gpus)) if gpus else by_cores


def _on_gpus(machine: Counter[str], gpus: float) -> int:
    # A fifth of a GPU is a little more than that in floating point.
    return int(machine["GPU"] / gpus + 1e-6)


def team(config: SweepConfig, machines: list[Counter[str]], batch_size: int) -> tuple[SweepConfig, int]:
    """The same for a stage that all train together: a worker takes a GPU, or cores of one machine.

    As many cores as can be work, in pairs while the shares of the batch are not too small.
    """
    most = {kind: max(1, batch_size // least) for kind, least in LEAST_SHARE.items()}
    if config.gpus_per_trial and any(machine["GPU"] for machine in machines):
        member, gpus = fit(replace(config, gpus_per_trial=1.0), machines)
        return member, min(gpus, most["GPU"])
    cores = [machine["CPU"] for machine in machines if machine["CPU"]]
    teams = [(min(most["CPU"], sum(count // each for count in cores)), each) for each in range(1, max(cores) + 1)]
    size, threads = max(teams, key=lambda found: (math.prod(found), -abs(found[1] - THREADS)))
    return replace(config, cpus_per_trial=threads, gpus_per_trial=0.0), size
