"""Pixels as files have them and as networks take them."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor


def rgb(image: UInt8[NDArray[Any], "h w *_c"]) -> UInt8[NDArray[Any], "h w 3"]:
    """Three equal channels of one."""
    return np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image


def to_float(image: UInt8[NDArray[Any], "h w 3"]) -> Float[Tensor, "1 3 h w"]:
    """Pixels 0 to 255 -> 0 to 1."""
    return torch.tensor(image).permute(2, 0, 1).unsqueeze(0).float() / 255


def to_bytes(image: Float[Tensor, "1 3 h w"]) -> UInt8[NDArray[Any], "h w 3"]:
    """Pixels 0 to 1 -> 0 to 255, rounded."""
    return np.asarray((image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu(), np.uint8)


def pad(image: Float[Tensor, "b 3 h w"], factor: int) -> Float[Tensor, "b 3 h2 w2"]:
    """Repeats the last row and column until both sides are multiples of `factor`."""
    height, width = image.shape[2:]
    return F.pad(image, (0, round_up(width, factor) - width, 0, round_up(height, factor) - height), "replicate")


def round_up(side: int, factor: int) -> int:
    """The next multiple of `factor`."""
    return -(-side // factor) * factor
