"""Clean renderings of images that have none: as the dial that comes along gives the images back at its highest rate."""

from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from models import shipped
from models.codecs.base import Codec
from models.files.model import QUALITIES, load_model
from sweep.trials.evaluate import batches


@torch.no_grad()
def ink(images: UInt8[NDArray[Any], "n h w 3"]) -> UInt8[NDArray[Any], "n h w"]:
    """How far text covers each pixel, 0 to 255, as far as the dial knows."""
    clean = torch.cat([_codec()(batch).x_hat.clamp(0, 1).mean(1) for batch in batches(images)])
    return np.asarray((255 * (1 - clean)).round().to(torch.uint8), np.uint8)


@cache
def _codec() -> Codec:
    return load_model(shipped.DIAL).codec_at(QUALITIES[-1])
