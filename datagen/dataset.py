"""Shards -> arrays in memory -> batches for training."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import psutil
import torch
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from datagen import shards
from datagen.errors import DataError
from datagen.shards import Manifest
from datagen.spec import Split, count

CPU = torch.device("cpu")
CHANNELS = 4
"""Bytes a pixel in memory: three of color, and the ink."""
ROOM = 0.25
"""Share of a GPU's free memory that a data set may fill."""


class TextImages(NamedTuple):
    """A split, decoded."""

    images: UInt8[NDArray[Any], "n h w 3"]
    texts: list[str]
    legible: Int[NDArray[Any], " _n"] | None = None
    """Indexes of the images whose texts can be read; None: not asked."""
    ink: UInt8[NDArray[Any], "n h w"] | None = None
    """How far the text covers each pixel, 0 to 255; None: of some images nobody knows."""


class Batch(NamedTuple):
    """What one optimizer update sees."""

    images: Float[Tensor, "b 3 h w"]
    """0 to 1, channels last in memory."""
    texts: list[str]
    clean: Float[Tensor, "b 1 h w"] | None = None
    """The clean renderings: black text on white, 0 to 1; None where the data have none."""


def load(folder: Path, split: Split) -> TextImages:
    """Decodes one split of a finished data set.

    Raises:
        ShardError: a shard is missing or cannot be read.
        DataError: this machine has too little memory for its pixels.
    """
    _check_room(folder, split)
    table = shards.read(folder, split, ("image", "text", "ink"))
    ink = None if table["ink"].null_count() else _stacked(table["ink"], "L")
    return TextImages(_stacked(table["image"], "RGB"), table["text"].to_list(), ink=ink)


def _stacked(pngs: pl.Series, mode: str) -> UInt8[NDArray[Any], "n h w *_c"]:
    images = np.empty((len(pngs), *_decoded(pngs[0], mode).shape), np.uint8)
    for image, png in zip(images, pngs, strict=True):
        image[:] = _decoded(png, mode)
    return images


def _check_room(folder: Path, split: Split) -> None:
    spec = Manifest.load(folder, to_look_at=True).spec
    images, free = count(spec, split), psutil.virtual_memory().available
    needed = images * spec.width * spec.height * CHANNELS
    if needed > free:
        raise DataError(
            f"{folder}: {images} {split} images take {needed / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} are "
            "free; make a data set of fewer"
        )


def _decoded(png: bytes, mode: str) -> UInt8[NDArray[Any], "h w *_c"]:
    return np.asarray(Image.open(io.BytesIO(png), formats=["PNG"]).convert(mode))


def to_tensor(images: UInt8[NDArray[Any], "n h w 3"]) -> Float[Tensor, "n 3 h w"]:
    """Pixels 0 to 255 -> 0 to 1; the memory stays channels last."""
    return _scaled(torch.tensor(images))


def batches(
    data: TextImages,
    batch_size: int,
    seed: int,
    start: int = 0,
    among: Int[NDArray[Any], " n"] | None = None,
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """Batch number `start` and all that follow, without end, of all images or those `among` the given indexes.

    Each epoch is shuffled by (seed, epoch) alone. A GPU keeps all images where it has room for them.
    """
    indexes = np.arange(len(data.texts)) if among is None else among
    per_epoch = max(1, len(indexes) // batch_size)
    pixels = _on(device, data.images)
    ink = None if data.ink is None else _on(device, data.ink[..., None])
    while True:
        epoch, first = divmod(start, per_epoch)
        order = np.random.default_rng((seed, epoch)).permutation(indexes)
        for step in range(first, per_epoch):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            clean = None if ink is None else 1 - _scaled(ink(chosen))
            yield Batch(_scaled(pixels(chosen)), [data.texts[index] for index in chosen], clean)
        start = (epoch + 1) * per_epoch


def _on(
    device: torch.device, images: UInt8[NDArray[Any], "n h w c"]
) -> Callable[[Int[NDArray[Any], " b"]], UInt8[Tensor, "b h w c"]]:
    """Gives the images of some indexes on the device, as bytes, which are a quarter of their floats."""
    if device.type == "cuda" and images.nbytes < ROOM * torch.cuda.mem_get_info(device)[0]:
        kept = torch.tensor(images, device=device)
        return lambda chosen: kept[torch.as_tensor(chosen).to(device, non_blocking=True)]
    return lambda chosen: torch.as_tensor(images[chosen]).to(device, non_blocking=True)


def _scaled(pixels: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n c h w"]:
    return pixels.permute(0, 3, 1, 2).float().div_(255)
