"""Nodes of the connected Ray cluster that see other files than the others: machines that share no file system."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datagen.machines import up

RAY = Path(sys.executable).with_name("ray")
UNSHARE = ("unshare", "--map-root-user", "--mount")
"""Gives a command mounts of its own, whoever calls it."""


@contextmanager
def node(address: str, *hidden: Path, cpus: int = 1) -> Iterator[None]:
    """A node of the cluster during the block, for which these folders are empty."""
    mounts = [f"mount -t tmpfs none {shlex.quote(str(folder.absolute()))}" for folder in hidden]
    start = f"exec {RAY} start --address={address} --num-cpus={cpus} --block"
    before = len(up())
    process = subprocess.Popen([*UNSHARE, "sh", "-ec", "\n".join([*mounts, start])], stdout=subprocess.DEVNULL)
    try:
        while len(up()) == before:
            assert process.poll() is None
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)
