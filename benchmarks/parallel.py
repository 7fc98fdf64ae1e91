"""How much faster several workers train the conditioned codec than one, at the same global batch.

python benchmarks/parallel.py [--workers 2]
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import ray
import tyro

from datagen import dataset, generate
from sweep import presets, stages
from sweep.config import SweepConfig
from sweep.stages import Node
from sweep.trainer import train_together
from sweep.training import Progress
from sweep.trial import Data


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains each stage of the conditioned codec for a few steps with one worker and with several."""

    workers: int = 2
    """The larger number; each takes a core."""
    steps: int = 60
    """Of each training; the first ten are not counted."""


def main() -> None:
    """Prints images per second and their ratio, a line a stage."""
    arguments = tyro.cli(Arguments)
    with tempfile.TemporaryDirectory() as name, generate.ray_session(arguments.workers):
        folder = Path(name)
        config = _config(arguments.steps)
        generate.ensure(config.data, folder / "data")
        data = ray.put(Data(*(dataset.load(folder / "data", split) for split in ("train", "val", "test"))))
        first, second = stages.shared(config)
        for node in (first, replace(second, parent=None)):
            speeds = [images_per_second(node, config, folder / str(n), data, n) for n in (1, arguments.workers)]
            ratio = speeds[1] / speeds[0]
            print(f"{node.title}: {speeds[0]:.1f} and {speeds[1]:.1f} images/s, {ratio:.2f} times as fast", flush=True)


def images_per_second(node: Node, config: SweepConfig, folder: Path, data: ray.ObjectRef, workers: int) -> float:
    """Of the whole team, between the first report and the last."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    seen: list[Progress] = []
    train_together(node, config, folder, data, workers, seen.append)
    return (seen[-1].step - seen[0].step) * node.stage.batch_size / (seen[-1].seconds - seen[0].seconds)


def _config(steps: int) -> SweepConfig:
    """The smoke preset's images and the cpu preset's stages, cut short."""
    cpu = presets.cpu()
    stage1, stage2 = (replace(stage, steps=steps) for stage in (cpu.stage1, cpu.stage2))
    return replace(cpu, data=presets.smoke().data, stage1=stage1, stage2=stage2, report_seconds=0.0)


if __name__ == "__main__":
    main()
