"""Cores, memory and disk of the machine on which it is called."""

import os
import shutil
from pathlib import Path

import psutil

from models.files import memory
from sweep.checks.finding import GIB, Finding, gib

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""In a container, how much of the cores it may use."""
PINS = ("OMP_PROC_BIND", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""What binds a process's threads to cores: those of two workers to the same ones."""
UNBOUND = ("", "false", "none", "disabled")
SHARED_MEMORY = Path("/dev/shm")
PEAK = 6.1 * GIB
"""Memory that a sweep of the preset cpu takes at most, on two cores."""
IMAGES = 2 * GIB
"""Shared memory for a node's copy of the images, and some room."""
LEAST_DISK, ENOUGH_DISK = 2 * GIB, 10 * GIB
"""Of a data set and a run: a small one, and one with a large codec and long training."""


def cores(counted: int | None = None) -> Finding:
    """Cores that this process may use, against those that Ray counts, and the threads that the environment sets."""
    usable = _usable()
    said = f"{usable} cores"
    # Ray gives its workers some.
    if counted is None and (threads := os.environ.get("OMP_NUM_THREADS")):
        said += f", OMP_NUM_THREADS={threads} (a sweep sets its threads itself)"
    if bound := [name for name in PINS if os.environ.get(name, "").lower() not in UNBOUND]:
        fix = f"unset {' and '.join(bound)}: workers side by side would share the same cores"
        return Finding("warn", "cores", said, fix)
    limit = os.environ.get("OMP_THREAD_LIMIT", "")
    if limit.isdigit() and int(limit) < usable:
        return Finding("warn", "cores", f"{said}, OMP_THREAD_LIMIT={limit}", "unset OMP_THREAD_LIMIT to use all cores")
    if counted is not None and counted > usable:
        fix = f"start this node with ray start --num-cpus {usable}, or more work runs here at a time than there is room"
        return Finding("warn", "cores", f"{said}, of which Ray counts {counted}", fix)
    return Finding("ok", "cores", said)


def _usable() -> int:
    """Cores of the machine, less those that the process may not run on and what its container may not use."""
    affinity = getattr(os, "sched_getaffinity", None)
    found = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text().split()
        return max(1, min(found, int(quota) // int(period)))
    # There is none outside of containers, or "max".
    except (OSError, ValueError):
        return found


def memories() -> list[Finding]:
    """Memory that is free, and shared memory, in which Ray keeps the images."""
    free, total = memory.available(), psutil.virtual_memory().total
    found = [Finding("ok", "memory", f"{gib(free)} free of {gib(total)}")]
    if free < PEAK:
        fix = f"close other programs: a sweep of the preset cpu takes {gib(PEAK)} at its peak"
        found = [Finding("warn", "memory", found[0].found, fix)]
    if SHARED_MEMORY.is_dir() and (size := shutil.disk_usage(SHARED_MEMORY).total) < IMAGES:
        fix = "give the container more (docker run --shm-size=4g), or Ray keeps images on the disk, which is slow"
        found.append(Finding("warn", "memory", f"{SHARED_MEMORY} holds {gib(size)} alone", fix))
    return found


def disk(folder: Path) -> Finding:
    """Room where the run's folder lies or will lie."""
    place = next((each for each in (folder, *folder.parents) if each.is_dir()), Path("/"))
    free = shutil.disk_usage(place).free
    said = f"{gib(free)} free at {folder}"
    if free < LEAST_DISK:
        return Finding("FAIL", "disk", said, f"free {gib(LEAST_DISK)} or more, or give another --out")
    if free < ENOUGH_DISK:
        fix = f"a long run with its data set and checkpoints may take {gib(ENOUGH_DISK)}: free some, or watch it"
        return Finding("warn", "disk", said, fix)
    return Finding("ok", "disk", said)
