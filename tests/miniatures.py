"""Every codec with few channels: all of its layers, in a hundredth of the time."""

from collections.abc import Callable

import torch
from torch import nn

from models.codecs import compressai_zoo, small
from models.codecs.base import Codec
from models.codecs.tinylic import TinyLIC

GROUPS = (4, 4, 4, 4, 8)
MINIATURES: dict[str, Callable[[], Codec]] = {
    "small": small.codec,
    "factorized": lambda: compressai_zoo.factorized(8, 12),
    "hyperprior": lambda: compressai_zoo.hyperprior(8, 12),
    "mbt2018-mean": lambda: compressai_zoo.mbt2018_mean(8, 12),
    "mbt2018": lambda: compressai_zoo.mbt2018(8, 12),
    "cheng2020-anchor": lambda: compressai_zoo.cheng2020_anchor(8),
    "cheng2020-attn": lambda: compressai_zoo.cheng2020_attn(8),
    "elic": lambda: compressai_zoo.elic(16, sum(GROUPS), GROUPS),
    "tinylic": lambda: TinyLIC(32, 40),
}


@torch.no_grad()
def spread_out(network: nn.Module) -> None:
    """Makes y so large that it is more than zeros when it is rounded."""
    convolutions = [layer for layer in network.get_submodule("g_a").children() if isinstance(layer, nn.Conv2d)]
    convolutions[-1].weight.mul_(30)
