"""How much faster the conditioned codec trains on all of this machine than on one core, at the same batch.

python benchmarks/parallel.py
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import ray

from datagen import dataset, generate
from datagen.machines import machines
from sweep import presets
from sweep.cluster import resources
from sweep.cluster.place import Place
from sweep.cluster.trainer import train_together
from sweep.config import SweepConfig, override
from sweep.stages.strategies import CONDITIONAL
from sweep.stages.tree import Node
from sweep.training.loop import Progress
from sweep.trials.trial import Data

STEPS = {"stage 1": 1000, "stage 2": 200}
"""Over a minute each on one core."""
SETTLED = 20.0
"""Seconds of a training that are not counted: Ray is still starting beside it."""


def main() -> None:
    """Prints images per second and their ratio, a line a stage."""
    with tempfile.TemporaryDirectory() as name, generate.ray_session():
        folder = Path(name)
        config = _config()
        generate.ensure(config.data, folder / "data")
        data = ray.put(Data(*(dataset.load(folder / "data", split) for split in ("train", "val", "test"))))
        first, second = CONDITIONAL.shared_nodes(config)
        for node in (first, replace(second, parent=None)):
            all_of_it = resources.team(config, machines(), node.stage.batch_size)
            teams = (override(config, cpus_per_trial=1), 1), all_of_it
            # Runs beside one another would share what the first one trains.
            runs = [folder / str(index) / "run" for index in range(len(teams))]
            speeds = [images_per_second(node, *team, run, data) for team, run in zip(teams, runs, strict=True)]
            ratio = speeds[1] / speeds[0]
            print(f"{node.title}: {speeds[0]:.1f} and {speeds[1]:.1f} images/s, {ratio:.2f} times as fast", flush=True)


def images_per_second(node: Node, member: SweepConfig, size: int, folder: Path, data: ray.ObjectRef) -> float:
    """Of the whole team, once it has settled."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    seen: list[Progress] = []
    train_together(node, member, Place.of(folder), data, size, seen.append)
    start, end = next(progress for progress in seen if progress.seconds > SETTLED), seen[-1]
    return (end.step - start.step) * node.stage.batch_size / (end.seconds - start.seconds)


def _config() -> SweepConfig:
    """The smoke preset's images and the cpu preset's stages, cut short."""
    cpu = presets.cpu()
    stage1, stage2 = replace(cpu.stage1, steps=STEPS["stage 1"]), replace(cpu.stage2, steps=STEPS["stage 2"])
    return override(cpu, data=presets.smoke().data, stage1=stage1, stage2=stage2, report_seconds=0.5)


if __name__ == "__main__":
    main()
