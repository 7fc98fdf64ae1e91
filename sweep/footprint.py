"""What a training takes of a GPU's memory, and so how many of them share one."""

from dataclasses import replace

import torch
from torch import nn

from datagen.dataset import Batch
from datagen.spec import count
from models import codecs
from sweep.config import SweepConfig
from sweep.objectives import objective_of
from sweep.training import Objective
from sweep.trial import recognizer

TOGETHER = 4
"""Trials that share a GPU, at most: one that is measured leaves it to the others; more would only take turns."""
PROCESS = 3 * 2**29
"""Bytes that a process takes whatever it trains, of its driver, its libraries and the graphs that it records."""
COPIES = 10
"""Bytes for each of a weight's: its own, its gradient's, its momenta's and those that graphs keep."""


def trials(config: SweepConfig, free: int) -> int:
    """How many trials of a sweep have room in so many bytes of a GPU; one at least, for it may do with less."""
    stage = replace(config.stage2, reading_scales=(1.0,))
    codec, reader = codecs.build(config.codec).train(), recognizer(config.recognizers)
    text = 8 * (reader.readable or "0")[:1]
    size = config.data.height, config.data.width
    batch_size = max(stage.batch_size, config.stage1.batch_size)
    needed = training(codec, objective_of(stage, None, reader), text, size, batch_size)
    needed += 3 * size[0] * size[1] * count(config.data, "train")
    return max(1, min(TOGETHER, free // needed))


def training(codec: nn.Module, objective: Objective, text: str, size: tuple[int, int], batch_size: int) -> int:
    """Bytes of a GPU that a training takes at most, without its images.

    What the backward pass needs is counted in float32, on the codec's device; in bfloat16 it takes about half of that.
    """
    weights = sum(parameter.nbytes for parameter in codec.parameters())
    device = next(codec.parameters()).device
    one, two = (_kept(codec, objective, Batch(torch.zeros(n, 3, *size, device=device), n * [text])) for n in (1, 2))
    # What both keep, such as weights, is no image's.
    return PROCESS + COPIES * weights + batch_size * (two - one)


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
