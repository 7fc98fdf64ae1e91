"""Weights and images by formula, so that networks can be compared where their files cannot be had."""

from pathlib import Path

import torch
from torch import Tensor

from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.weights import WeightsFile

KEPT = ("inv_delta_C", "P_hat", "num_batches_tracked", "mask")
"""Ends of the names of tensors that are no weights."""

EDGES = torch.cat([torch.stack([torch.linspace(-1, 1, 10), torch.full((10,), y)], 1) for y in (-1.0, 1.0)])
"""A spline's fiducial points that leave an image as it is."""


def uniform(shape: torch.Size | tuple[int, ...], seed: int, reach: float = 1.0) -> Tensor:
    """Evenly between -reach and reach."""
    return (2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed)) - 1) * reach


@torch.no_grad()
def fill(state: dict[str, Tensor], gain: float = 1.0) -> None:
    """Sets each tensor by its place among the sorted names; activations keep about their size at gain 1, lines of text
    theirs.
    """
    for seed, (name, tensor) in enumerate(sorted(state.items())):
        if name.endswith("localization_fc2.bias"):
            tensor.copy_(EDGES.flatten())
        elif name.endswith("localization_fc2.weight"):
            tensor.copy_(uniform(tensor.shape, seed, 0.02))
        elif name.endswith("running_var"):
            tensor.copy_(1 + uniform(tensor.shape, seed, 0.3))
        elif tensor.dim() > 1 and not name.endswith(KEPT):
            tensor.copy_(uniform(tensor.shape, seed, gain * (6 / tensor[0].numel()) ** 0.5))
        elif not name.endswith(KEPT):
            tensor.copy_(uniform(tensor.shape, seed, 0.1))
            tensor += name.endswith("weight")


def checkpoint(path: Path, name: str, classes: int) -> WeightsFile:
    """As the published training saves a network that several GPUs share."""
    network = StrNet(COMBINATIONS[name], classes)
    fill(network.state_dict())
    torch.save({f"module.{key}": tensor for key, tensor in network.state_dict().items()}, path)
    return WeightsFile.of(path)


def images(count: int, channels: int = 1) -> Tensor:
    """Of 32 x 100 pixels, -1 to 1: waves and noise."""
    x = torch.linspace(0, 12, 100).expand(count, channels, 32, 100)
    phase = torch.arange(count).view(-1, 1, 1, 1)
    return 0.6 * (x + phase).sin() + uniform((count, channels, 32, 100), count, 0.4)


def before(count: int, classes: int, steps: int = 8) -> Tensor:
    """Classes of characters that an attention decoder is given, [GO] first."""
    chosen = 2 + (torch.arange(count * steps).view(count, steps) * 7) % (classes - 2)
    return chosen.index_fill(1, torch.tensor([0]), 0)
