"""What a training takes of a GPU's memory, and so how many of them share one."""

from dataclasses import replace

import torch
from torch import nn

from datagen import dataset
from datagen.dataset import Batch
from datagen.spec import count
from models.codecs import registry as codecs
from models.recognizers.base import FrozenRecognizer
from sweep.config import StageConfig, SweepConfig
from sweep.training.loop import Objective
from sweep.training.objectives import objective_of
from sweep.trials.trial import recognizer

TOGETHER = 4
"""Trials that share a GPU, at most: one that is measured leaves it to the others; more would only take turns."""
PROCESS = 3 * 2**29
"""Bytes that a process takes whatever it trains, of its driver, its libraries and the graphs that it records."""
COPIES = 10
"""Bytes for each of a weight's: its own, its gradient's, its momenta's and those that graphs keep."""


def trials(config: SweepConfig, free: int) -> int:
    """How many trials of a sweep have room in so many bytes of a GPU; one at least, for it may do with less."""
    batch_size = max(config.stage1.batch_size, config.stage2.batch_size)
    stage = replace(config.stage2, batch_size=batch_size, reading_scales=(1.0,))
    size = config.data.height, config.data.width
    images = dataset.CHANNELS * size[0] * size[1] * count(config.data, "train")
    needed = training(config.codec, stage, recognizer(config.recognizers), size) + images
    return max(1, min(TOGETHER, free // needed))


def training(codec: str, stage: StageConfig, reader: FrozenRecognizer | None, size: tuple[int, int]) -> int:
    """Bytes of a GPU that a stage of a plain codec takes at most, without its images.

    What the backward pass needs is counted on the CPU, in float32; that of bfloat16 is about half of it.

    Args:
        reader: of stage 2, on the CPU.
        size: of an image, height and width, pixels.
    """
    network, objective = codecs.build(codec).train(), objective_of(stage, None, reader)
    text = 8 * ((reader and reader.readable) or "0")[0]
    zeros = torch.zeros(2, 3, *size)
    batches = (Batch(zeros[:n], n * [text], zeros[:n, :1]) for n in (1, 2))
    one, two = (_kept(network, objective, batch) for batch in batches)
    weights = sum(parameter.nbytes for parameter in network.parameters())
    # What both keep, such as weights, is no image's.
    return PROCESS + COPIES * weights + stage.batch_size * (two - one)


def _kept(codec: nn.Module, objective: Objective, batch: Batch) -> int:
    """Bytes that a forward pass keeps for the backward pass."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        objective(codec, batch, 0)
    return sum(kept.values())
