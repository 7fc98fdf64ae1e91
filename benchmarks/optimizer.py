"""What Muon is worth: stage 1 of the conditioned codec with it and with Adam alone, on the same images.

python -m datagen --preset cpu --out DATA; python benchmarks/optimizer.py DATA [--images 30000]
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from torch import nn

from datagen import dataset
from models.codecs.conditioning import ConditionedCodec
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from sweep import presets
from sweep.config import SweepConfig
from sweep.results.pareto import Objectives
from sweep.stages import tree
from sweep.training import loop
from sweep.training.objectives import objective_of
from sweep.training.optimizer import CodecOptimizer, adam
from sweep.trials.evaluate import validate


class Adam(CodecOptimizer):
    """For every weight."""

    def _shared_out(self, parameters: list[nn.Parameter]) -> dict[str, torch.optim.Optimizer]:
        return {"adam": adam(parameters)}


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains with each optimizer and batch, then measures the base curve on the validation images."""

    data: tyro.conf.Positional[Path]
    """A finished data set."""
    images: int = 30_000
    """Of each training."""
    threads: int = 2
    """Cores."""


def main() -> None:
    """Prints a line a training: steps, seconds, and accuracy at each rate."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    config = presets.cpu()
    for batch_size in (16, 32):
        steps = arguments.images // batch_size
        stage = replace(config.stage1, steps=steps, batch_size=batch_size)
        for optimizer in (CodecOptimizer, Adam):
            loop.CodecOptimizer = optimizer
            started = time.perf_counter()
            codec = _trained(replace(config, stage1=stage), arguments.data)
            seconds = time.perf_counter() - started
            curve = "  ".join(f"{bpp:.3f} {accuracy:.3f}" for bpp, accuracy in _curve(codec, config, arguments.data))
            name = "Muon" if optimizer is CodecOptimizer else "Adam"
            print(f"{name}, {steps} steps of {batch_size}, {seconds:.0f} s; bpp and accuracy: {curve}", flush=True)


def _trained(config: SweepConfig, folder: Path) -> ConditionedCodec:
    torch.manual_seed(config.seed)
    codec = tree.conditioned1(config).build()
    assert isinstance(codec, ConditionedCodec)
    data, stage = dataset.load(folder, "train"), config.stage1
    loop.train_stage(
        codec,
        objective_of(stage, codec.plane, None),
        lambda start: dataset.batches(data, stage.batch_size, config.seed, start),
        stage,
    )
    return codec


def _curve(codec: ConditionedCodec, config: SweepConfig, folder: Path) -> list[Objectives]:
    recognizer, val = ensemble.load(config.recognizers), dataset.load(folder, "val")
    folded = (codec.fold(weight, 0.0) for weight in config.search.lambdas)
    seen = (
        validate(TrainedCodec(plain, config.codec, config.recognizer_identity, {}, config.canvas), recognizer, val)
        for plain in folded
    )
    return sorted(Objectives(point.bpp, point.accuracy) for point in seen)


if __name__ == "__main__":
    main()
