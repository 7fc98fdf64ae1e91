"""How a sweep's work fits the connected Ray cluster."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import ray
import torch
from ray.exceptions import OutOfMemoryError

from datagen.machines import Machine, Resources, machines, planned, up
from sweep.cluster import gpu_memory, nodes, out_of_memory
from sweep.config import SweepConfig, override
from sweep.errors import SweepError
from sweep.tracking.display import clock

LEAST_SHARE = {"CPU": 8, "GPU": 256}
"""Images of a batch that a worker needs, or the work around them costs more than they do; on a GPU, where one worker
alone repeats what it recorded, and several start kernel by kernel."""
GLANCE = 0.01
"""Share of a GPU that a look at it takes: another sweep's trials may leave no whole one for hours."""
PATIENCE = 300.0
"""Seconds that a machine is waited for in silence."""
GLANCE_SECONDS = 1.0
"""Between two looks for a machine."""
CORE: Resources = {"CPU": 1.0}
"""What any work needs."""
THREADS = 2
"""Threads of a worker without a GPU, where as many cores can be used so: one of two trains faster than two of one."""


@contextmanager
def watched(needs: Resources, say: Callable[[str], None]) -> Generator[None]:
    """In the block, says from time to time what is waited for, as long as no machine that is up has it."""
    ended = threading.Event()

    def watch() -> None:
        started = time.monotonic()
        while not ended.wait(PATIENCE):
            if not any(_holds(machine, needs) for machine in up()):
                say(lacking(needs, time.monotonic() - started, up(), planned()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def results(tasks: Any) -> Any:
    """What a task, or each of several, returns.

    Raises:
        SweepError: Ray ended a worker again and again, for its machine ran out of memory.
    """
    try:
        return ray.get(tasks)
    except OutOfMemoryError as error:
        raise SweepError(
            out_of_memory.reason(str(error)) or "a machine ran out of memory; close other programs"
        ) from error


def _holds(machine: Resources, needs: Resources) -> bool:
    return all(machine.get(name, 0.0) >= number for name, number in needs.items())


def lacking(needs: Resources, seconds: float, here: list[Resources], startable: list[Resources]) -> str:
    """What is waited for, in a sentence."""
    more = f"may start {listed(startable)}, unless a quota forbids it" if startable else "starts none"
    waited = f"waiting for a machine with {_sized(needs)}, {clock(seconds)} so far"
    return f"{waited}: up are {listed(here)}; the autoscaler {more} (ray status tells)"


def listed(found: list[Resources]) -> str:
    """Machines by their sizes, for a sentence."""
    sizes = Counter(map(_sized, found))
    return ", ".join(f"{number} of {size}" for size, number in sizes.items()) or "none"


def _sized(machine: Resources) -> str:
    return " and ".join(f"{machine[name]:.3g} {name}" for name in ("CPU", "GPU") if machine.get(name)) or "no CPU"


def awaited(say: Callable[[str], None], gpus: bool = True) -> list[Machine]:
    """Machines that are up, or may be started, once one of them has a core.

    Args:
        say: told what is waited for.
        gpus: whether they are for work that needs GPUs; other work starts a machine with some only where there are no
            others, and one alone.
    """
    found = _with_cores(gpus)
    if not found:
        say(lacking(CORE, 0.0, up(), planned()))
    with watched(CORE, say):
        while not found:
            time.sleep(GLANCE_SECONDS)
            found = _with_cores(gpus)
    return found


def _with_cores(gpus: bool) -> list[Machine]:
    found = machines(gpus)
    if any(machine["CPU"] for machine in found):
        return found
    return [machine for machine in machines() if machine["CPU"]][:1]


def free_gpu_memory() -> list[int]:
    """Bytes that are free on each GPU that is up; where none is, an autoscaler has to start one first."""
    if not any(machine.get("GPU") for machine in up()):
        return ray.get(ray.remote(num_cpus=0, num_gpus=GLANCE)(_free).remote())
    with_gpus = {name: node for name, node in nodes.alive().items() if node["Resources"].get("GPU")}
    with nodes.hands(with_gpus) as hands:
        return [free for found in hands.do(_free).values() for free in found]


def _free() -> list[int]:
    return [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]


def sharing(
    config: SweepConfig,
    machines: list[Machine],
    say: Callable[[str], None],
    memory: Callable[[], list[int]] = free_gpu_memory,
) -> SweepConfig:
    """The configuration with a trial's share of a GPU by the memory of the smallest, where it leaves that open.

    Args:
        say: told that GPUs differ.
    """
    if not (
        config.resources.shares_gpus and config.resources.gpus_per_trial and any(machine["GPU"] for machine in machines)
    ):
        return config
    found = [gpu_memory.trials(config, free) for free in memory()] or [1]
    if max(found) > min(found):
        say(
            f"GPUs have room for {min(found)} to {max(found)} trials: {min(found)} share each (--trials-per-gpu N "
            "takes another number)"
        )
    return override(config, gpus_per_trial=1 / min(found))


def fit(config: SweepConfig, machines: list[Machine]) -> tuple[SweepConfig, int]:
    """The configuration with a trial's needs cut to what a machine has, and how many such trials run at a time.

    Cores are given up before GPUs lie idle.
    """
    gpus = config.resources.gpus_per_trial if any(machine["GPU"] for machine in machines) else 0.0
    able = [machine for machine in machines if machine["CPU"] and (machine["GPU"] or not gpus)]
    cpus = min([config.resources.cpus_per_trial, *(_cores_each(machine, gpus) for machine in able)])
    trials = sum(_trials(machine, cpus, gpus) for machine in able)
    return override(config, cpus_per_trial=cpus, gpus_per_trial=gpus), max(1, trials)


def _cores_each(machine: Machine, gpus: float) -> int:
    """The most for each of a machine's trials while all of its GPUs are used."""
    return max(1, machine["CPU"] // _on_gpus(machine, gpus)) if gpus else machine["CPU"]


def _trials(machine: Machine, cpus: int, gpus: float) -> int:
    by_cores = machine["CPU"] // cpus
    return min(by_cores, _on_gpus(machine, gpus)) if gpus else by_cores


def _on_gpus(machine: Machine, gpus: float) -> int:
    # A fifth of a GPU is a little more than that in floating point.
    return int(machine["GPU"] / gpus + 1e-6)


def team(config: SweepConfig, machines: list[Machine], batch_size: int) -> tuple[SweepConfig, int]:
    """The configuration of a worker of a stage that all train together, and how many work: each takes a GPU, or cores.

    As many cores as can be work, in pairs while the shares of the batch are not too small.
    """
    most = {kind: max(1, batch_size // least) for kind, least in LEAST_SHARE.items()}
    if config.resources.gpus_per_trial and any(machine["GPU"] for machine in machines):
        member, gpus = fit(override(config, gpus_per_trial=1.0), machines)
        return member, min(gpus, most["GPU"])
    cores = [machine["CPU"] for machine in machines if machine["CPU"]]
    teams = [(min(most["CPU"], sum(count // each for count in cores)), each) for each in range(1, max(cores) + 1)]
    size, threads = max(teams, key=lambda found: (math.prod(found), -abs(found[1] - THREADS)))
    return override(config, cpus_per_trial=threads, gpus_per_trial=0.0), size
