"""The pace of a sweep on two cores, and what measuring it leaves behind: python pace.py DATA RUN STRATEGY"""

import sys
from dataclasses import asdict, replace
from pathlib import Path

from datagen import generate
from datagen.shards import Manifest
from sweep import presets
from sweep.cluster.pool import Pool
from sweep.config import override
from sweep.results.point import Identity, Point
from sweep.training.loop import Progress

data_folder, folder, strategy = Path(sys.argv[1]), Path(sys.argv[2]).absolute(), sys.argv[3]
(folder / "checkpoints").mkdir(parents=True)
smoke = presets.smoke()
stages = {name: replace(getattr(smoke, name), batch_size=2) for name in ("stage1", "stage2")}
config = override(smoke, data=Manifest.load(data_folder).spec, strategy=strategy, **stages)


class Listener:
    def progressed(self, identity: Identity, progress: Progress) -> None: ...

    def reread(self, point: Point, accuracies: dict[str, float]) -> None: ...

    def finished(self, point: Point) -> None: ...


with generate.ray_session(2):
    pace = asdict(Pool(config, folder, data_folder, Listener()).pace([], 0.5))
print("places", pace.pop("places"))
print("none", sorted(name for name, seconds in pace.items() if seconds == 0))
print("less", sorted(name for name, seconds in pace.items() if seconds < 0))
print("left", [*(folder / "checkpoints").iterdir()])
