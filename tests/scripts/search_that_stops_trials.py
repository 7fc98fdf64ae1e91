"""A search of four trials, of which every second look lets one pass: python search_that_stops_trials.py DATA RUN"""

import sys
from dataclasses import replace
from pathlib import Path

from datagen import generate
from datagen.shards import Manifest
from sweep import presets
from sweep.cluster.pool import Pool
from sweep.config import StageConfig, override
from sweep.results.pareto import Objectives
from sweep.results.point import Identity, Point
from sweep.search.early_stopping import FrontStopping
from sweep.training.loop import Progress

data_folder, folder = map(Path, sys.argv[1:])
(folder / "checkpoints").mkdir(parents=True)
stage = StageConfig(steps=30, batch_size=2)
config = override(
    presets.smoke(),
    data=Manifest.load(data_folder).spec,
    strategy="shared",
    stage1=replace(stage, steps=1),
    stage2=stage,
    save_seconds=0.0,
)
judged: list[int] = []


class Listener:
    def progressed(self, identity: Identity, progress: Progress) -> None: ...

    def reread(self, point: Point, accuracies: dict[str, float]) -> None: ...

    def finished(self, point: Point) -> None:
        assert point.val is not None
        assert point.train_seconds is not None
        print(point.status, point.reason or "", point.val.bpp > 0, point.train_seconds > 0, flush=True)


def passes(self: FrontStopping, rung: int, trial: str, reached: Objectives) -> bool:
    judged.append(rung)
    return len(judged) % 2 == 0


FrontStopping.passes = passes
with generate.ray_session(1):
    Pool(config, folder, data_folder, Listener()).search(4)
print("rungs", judged)
print("left", sorted(path.suffixes[0] for path in (folder / "checkpoints").iterdir()))
