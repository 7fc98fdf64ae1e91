"""Renders a data set and kills a worker, or this process, once ten images are done.

python render_with_a_kill.py FOLDER driver|worker
"""

import os
import signal
import sys
from pathlib import Path

import psutil

from datagen import generate
from datagen.spec import DatasetSpec

folder, victim = sys.argv[1:]
killed: list[int] = []


def report(done: float, total: float) -> None:
    if done < 10 or killed:
        return
    processes = psutil.Process().children(recursive=True)
    workers = [process.pid for process in processes if process.name().startswith("ray::_render_shard")]
    # Between two tasks no worker has that name: the next report strikes.
    for victim_id in [os.getpid()] if victim == "driver" else workers[:1]:
        killed.append(victim_id)
        os.kill(victim_id, signal.SIGKILL)


with generate.ray_session(2):
    generate.ensure(DatasetSpec(train=2000, val=20, test=20, shard=10), Path(folder), report)
assert killed
