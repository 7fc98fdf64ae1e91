"""How much memory there is."""

from collections.abc import Iterator
from pathlib import Path

import psutil

GROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
NAMES = {False: ("memory.max", "memory.current"), True: ("memory.limit_in_bytes", "memory.usage_in_bytes")}
"""A group's limit and use; by whether it is of the first version."""
CACHE = ("inactive_file ", "total_inactive_file ")
"""What the system gives back when it is asked for more, in a group's statistics."""


def available() -> int:
    """Bytes that this process may still take: free on the machine, and within the limits of its container or job."""
    return min(psutil.virtual_memory().available, *contained())


def contained(groups: Path = GROUPS, own: Path = OWN) -> Iterator[int]:
    """What each control group around this process leaves it."""
    try:
        lines = own.read_text().splitlines()
    # There are none elsewhere than on Linux.
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        first = "memory" in kinds.split(",")
        if kinds and not first:
            continue
        root = groups / "memory" if first else groups
        for folder in (root / path.lstrip("/"), *(root / path.lstrip("/")).parents):
            if folder.is_relative_to(root):
                yield from _left(folder, *NAMES[first])


def _left(folder: Path, limit: str, used: str) -> Iterator[int]:
    try:
        most, now = (int((folder / name).read_text()) for name in (limit, used))
        statistics = (folder / "memory.stat").read_text().splitlines()
    # Of a group without a limit, "max"; of the root of all groups, nothing.
    except (OSError, ValueError):
        return
    yield most - now + max((int(line.split()[1]) for line in statistics if line.startswith(CACHE)), default=0)
