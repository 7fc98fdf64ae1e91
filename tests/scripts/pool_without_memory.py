"""A task that takes too much memory, then a search of trials that do: python pool_without_memory.py DATA RUN"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import ray

from datagen import generate
from datagen.shards import Manifest
from sweep import graceful_stop, presets
from sweep.cluster import resources
from sweep.cluster.pool import Pool
from sweep.errors import SweepError
from sweep.results.point import Identity, Point
from sweep.training.loop import Progress

data_folder, folder = map(Path, sys.argv[1:])
(folder / "checkpoints").mkdir(parents=True)
stage2 = replace(presets.smoke().stage2, legibility=0.0)
config = replace(presets.smoke(), data=Manifest.load(data_folder).spec, strategy="shared", stage2=stage2)


class Listener:
    def progressed(self, identity: Identity, progress: Progress) -> None: ...

    def reread(self, point: Point, accuracies: dict[str, float]) -> None: ...

    def finished(self, point: Point) -> None:
        print(point.status, point.reason, flush=True)


def hungry() -> int:
    taken = bytearray(b"x" * 200_000_000)
    time.sleep(60)
    return len(taken)


with generate.ray_session(1):
    for work in (
        lambda: resources.results(ray.remote(hungry).remote()),
        lambda: Pool(config, folder, data_folder, Listener()).search(8),
    ):
        try:
            work()
        except SweepError as error:
            print("given up:", error, flush=True)
print("asked to end", graceful_stop.stop_file(folder).exists())
