"""What a step of training costs beyond its passes, and beside the loop that CompressAI gives as its example.

python benchmarks/step.py
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from compressai.losses import RateDistortionLoss
from compressai.models import MeanScaleHyperprior
from compressai.optimizers import net_aux_optimizer
from torch.utils.data import DataLoader, Dataset

from datagen import dataset
from datagen.dataset import TextImages
from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from sweep.config import StageConfig
from sweep.stages.checkpointer import FileCheckpointer
from sweep.training.loop import Progress, autocast, every, train_stage
from sweep.training.objectives import objective_of
from sweep.training.optimizer import CodecOptimizer

CODEC = "mbt2018-mean"
WEIGHT = 0.0018
"""CompressAI's, of the distortion."""
SETTLED = 10
"""Steps of each training that are not counted."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains the same network on the same images and batches in turn, and takes the fastest of each."""

    steps: int = 60
    """Of each training."""
    batch_size: int = 8
    rounds: int = 3
    threads: int = 2
    """Cores."""


def main() -> None:
    """Prints milliseconds a step and their ratios."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    spec = DatasetSpec()
    pixels = np.random.default_rng(0).integers(0, 256, (256, spec.height, spec.width, 3), np.uint8)
    data = TextImages(pixels, ["text"] * len(pixels))
    loops: dict[str, Callable[[TextImages, Arguments], float]] = {
        "our loop": _ours,
        "a batch of images alone": _images,
        "passes and updates alone": _bare,
        "CompressAI's example": _theirs,
    }
    seconds = {name: min(loop(data, arguments) for _ in range(arguments.rounds)) for name, loop in loops.items()}
    ours = seconds["our loop"]
    for name, taken in seconds.items():
        print(f"{name}: {1e3 * taken:.1f} ms a step, {taken / ours:.3g} of our loop's")


def _stage(arguments: Arguments) -> StageConfig:
    return StageConfig(steps=arguments.steps, batch_size=arguments.batch_size, rate_weight=1 / (255**2 * WEIGHT))


def _images(data: TextImages, arguments: Arguments) -> float:
    """Seconds until the next batch is there, as our loop asks for it."""
    batches = dataset.batches(data, arguments.batch_size, 0)
    return _timed(lambda number: next(batches), arguments.steps)


def _bare(data: TextImages, arguments: Arguments) -> float:
    """Seconds of a step on a batch that is there already."""
    stage, codec = _stage(arguments), codecs.build(CODEC).train().to(memory_format=torch.channels_last)
    objective, optimizer = objective_of(stage, None, None), CodecOptimizer(codec)
    batch = next(dataset.batches(data, stage.batch_size, 0))

    def step(number: int) -> None:
        optimizer.zero_grad()
        with autocast(batch.images.device):
            terms = objective(codec, batch, number)
        terms.scaled.mean().backward()
        norm = torch.nn.utils.clip_grad_norm_(optimizer.parameters, stage.clip_norm)
        optimizer.step(stage.learning_rate, norm)

    return _timed(step, arguments.steps)


def _ours(data: TextImages, arguments: Arguments) -> float:
    """Seconds of a step with all that a trial's has: data, schedule, reports, checkpoints."""
    stage, codec = _stage(arguments), codecs.build(CODEC)
    seen: list[Progress] = []

    def batches(start: int) -> Iterator[dataset.Batch]:
        return dataset.batches(data, stage.batch_size, 0, start)

    def report(progress: Progress) -> None:
        seen.append(progress)
        shown(progress)

    shown = every(10, print)
    with tempfile.TemporaryDirectory() as folder:
        checkpointer = FileCheckpointer(Path(folder) / "state.pt", 60.0)
        train_stage(codec, objective_of(stage, None, None), batches, stage, report=report, checkpointer=checkpointer)
    start = next(progress for progress in seen if progress.step >= SETTLED)
    return (seen[-1].seconds - start.seconds) / (seen[-1].step - start.step)


class _Pictures(Dataset):
    """Pixels from 0 to 1, as torchvision's ToTensor gives them."""

    def __init__(self, data: TextImages) -> None:
        self._images = data.images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self._images[index]).permute(2, 0, 1).contiguous().float() / 255


def _theirs(data: TextImages, arguments: Arguments) -> float:
    """Seconds of a step of float32 with two optimizers, the second for the quantiles of z."""
    network, criterion = MeanScaleHyperprior(128, 192).train(), RateDistortionLoss(lmbda=WEIGHT)
    rates = {"net": {"type": "Adam", "lr": 1e-4}, "aux": {"type": "Adam", "lr": 1e-3}}
    optimizers = net_aux_optimizer(network, rates)
    loader = DataLoader(_Pictures(data), arguments.batch_size, shuffle=True)
    batches = (batch for _ in range(arguments.steps) for batch in loader)

    def step(number: int) -> None:
        del number
        images = next(batches)
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        criterion(network(images), images)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizers["net"].step()
        network.aux_loss().backward()
        optimizers["aux"].step()

    return _timed(step, arguments.steps)


def _timed(step: Callable[[int], object], steps: int) -> float:
    for number in range(SETTLED):
        step(number)
    started = time.perf_counter()
    for number in range(SETTLED, steps):
        step(number)
    return (time.perf_counter() - started) / (steps - SETTLED)


if __name__ == "__main__":
    main()
