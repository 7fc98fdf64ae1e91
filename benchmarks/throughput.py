"""Images per second and memory of training, by codec, stage and batch, on this machine's GPU or on its cores.

python benchmarks/throughput.py [--codecs small mbt2018-mean tinylic] [--batches 16 64] [--kernel-by-kernel]
"""

from dataclasses import dataclass

import numpy as np
import torch
import tyro

from datagen import dataset
from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.codecs.conditioning import ConditionedCodec
from models.cuda_graphs import CudaGraphed
from models.recognizers import ensemble
from models.recognizers.base import FrozenRecognizer
from sweep import presets
from sweep.cluster import gpu_memory
from sweep.config import StageConfig
from sweep.stages import tree
from sweep.training import optimizer
from sweep.training.loop import Progress, train_stage
from sweep.training.objectives import objective_of
from sweep.trials import trial

SETTLED = 10
"""Steps that are not counted."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains each conditioned codec through a few steps of both stages, as a sweep does, against english_g2."""

    codecs: tuple[str, ...] = ("small", "mbt2018-mean", "tinylic")
    batches: tuple[int, ...] = (16, 64)
    steps: int = 60
    threads: int = 2
    """Cores."""
    kernel_by_kernel: bool = False
    """Whether a GPU repeats nothing that it has recorded."""


def main() -> None:
    """Prints a line a training."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.kernel_by_kernel:
        _record_nothing()
    print(torch.cuda.get_device_name() if device.type == "cuda" else f"{arguments.threads} cores")
    recognizer = ensemble.load(presets.cpu().recognizers).to(device)
    for name in arguments.codecs:
        for batch_size in arguments.batches:
            for against in (None, recognizer):
                _print(
                    name,
                    StageConfig(steps=arguments.steps, batch_size=batch_size, learning_rate=1e-5),
                    against,
                    device,
                )


def _record_nothing() -> None:
    CudaGraphed.__call__ = lambda self, *inputs, **settings: self._network(*inputs, **settings)
    optimizer.EAGER = 0


def _print(name: str, stage: StageConfig, recognizer: FrozenRecognizer | None, device: torch.device) -> None:
    seconds, memory = measured(name, stage, recognizer, device)
    said = f"{name}, stage {1 if recognizer is None else 2}, batch {stage.batch_size}: {1e3 * seconds:.1f} ms a step, "
    said += f"{stage.batch_size / seconds:.0f} images/s"
    if memory:
        reader = None if recognizer is None else trial.recognizer(presets.cpu().recognizers)
        bound = gpu_memory.training(name, stage, reader, (64, 256))
        said += f", {memory / 2**30:.2f} GiB; a trial is granted {bound / 2**30:.2f}"
    print(said, flush=True)


def measured(
    name: str, stage: StageConfig, recognizer: FrozenRecognizer | None, device: torch.device
) -> tuple[float, int]:
    """Seconds of a settled step, with all that a sweep's has but checkpoints, and the bytes of the GPU at the peak."""
    plane = tree.plane(presets.cpu())
    codec = ConditionedCodec(codecs.build(name), plane).to(device)
    data = _images()
    seen: list[Progress] = []
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    train_stage(
        codec,
        objective_of(stage, plane, recognizer),
        lambda start: dataset.batches(data, stage.batch_size, 0, start, device=device),
        stage,
        report=seen.append,
    )
    start, end = next(progress for progress in seen if progress.step >= SETTLED), seen[-1]
    seconds = (end.seconds - start.seconds) / (end.step - start.step)
    return seconds, torch.cuda.max_memory_allocated() if on_gpu else 0


def _images() -> TextImages:
    """Noise: what it shows costs nothing."""
    pixels = np.random.default_rng(0).integers(0, 256, (512, 64, 256, 3), np.uint8)
    return TextImages(pixels, ["throughput"] * len(pixels))


if __name__ == "__main__":
    main()
