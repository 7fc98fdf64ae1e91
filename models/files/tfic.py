"""The .tfic file: one image, compressed by one model."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.codecs import entropy_coder
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.entropy_coder import Latent
from models.errors import FormatError, ModelError
from models.files import memory
from models.files.framing import FINGERPRINT_BYTES, WHOLE, Head, TficFile
from models.files.model import QUALITIES, Model, Size
from models.files.pixels import pad, rgb, round_up, to_bytes, to_float

LARGEST_SIDE = 1 << 16
LARGEST_AREA = 178_956_970
"""Pixels; Pillow opens no larger images."""

LARGE = 1 << 18
"""Pixels of an image for which memory may be too little, padding included."""
RESIZED_BYTES = 6
"""What a pixel of an image takes that is coded at another scale: the image itself, before and after."""


class Coded(NamedTuple):
    """An image before entropy coding."""

    head: Head
    size: Size
    """The image's, whether the head says it or not."""
    latents: list[Latent]
    pixels: int
    """Padding included."""


class Plan(NamedTuple):
    """How an image is to be decoded."""

    size: Size
    """The image's."""
    coded: Size
    """What is coded of it, at its scale."""
    grey: bool
    codec: Codec
    height: int
    """Of what is coded, padding included; and so is the width."""
    width: int

    @property
    def pixels(self) -> int:
        """Padding included."""
        return self.height * self.width


def encode(
    model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None = None, scale: int = WHOLE
) -> bytes:
    """Compresses an image of any size, RGB or of one channel without an axis, to a file's bytes.

    Args:
        quality: the position of a model's dial, 0 to 100.
        scale: what is coded of each side, in 64ths; decoding brings the image back to its size.

    Raises:
        FormatError: a side is too long, or the image too large, if only for the memory that there is.
    """
    head, size, latents, _ = coded(model, image, quality, scale)
    file = TficFile(model.fingerprint[:FINGERPRINT_BYTES], head, entropy_coder.encode(*latents))
    return file.masked(size, model.fingerprint).pack()


@torch.no_grad()
def coded(model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None = None, scale: int = WHOLE) -> Coded:
    """An image as the entropy coder takes it.

    Raises:
        FormatError: as `encode`.
    """
    size, codec = Size(image.shape[1], image.shape[0]), model.codec_at(quality)
    inner = scaled(size, scale)
    if not _fits(size) or not _fits(inner):
        raise FormatError(
            f"{size.width}x{size.height} pixels are too many; "
            f"a side has {LARGEST_SIDE} at most, an image {LARGEST_AREA}: cut it up"
        )
    factor = codec.downsampling_factor
    pixels = math.prod(round_up(side, factor) for side in inner)
    _check_memory(model, pixels, size)
    own = size == model.canvas and scale == WHOLE
    head = Head(None if own else size, quality, image.ndim == 2, scale)
    return Coded(head, size, codec.coded(pad(to_float(rgb(resized(image, inner))), factor)), pixels)


def scaled(size: Size, scale: int) -> Size:
    """What is coded of an image."""
    return Size(*(max(1, round(side * scale / WHOLE)) for side in size))


def resized(image: UInt8[NDArray[Any], "h w *_c"], size: Size) -> UInt8[NDArray[Any], "h2 w2 *_c"]:
    """The image at another size; itself at its own."""
    if Size(image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def encode_within(model: Model, image: UInt8[NDArray[Any], "h w *_c"], bpp: float, scale: int = WHOLE) -> bytes:
    """The file of the highest quality that takes at most `bpp` bits per pixel of the image, found by bisection along
    the dial.

    Raises:
        FormatError: the lowest quality needs more.
        ModelError: the model has no dial.
    """
    bits = 8 / (image.shape[0] * image.shape[1])
    best = encode(model, image, QUALITIES[0], scale)
    if bits * len(best) > bpp:
        raise FormatError(f"the least that this model makes of this image is {bits * len(best):.4f} bpp; ask for more")
    low, high = QUALITIES[0] + 1, QUALITIES[-1]
    while low <= high:
        middle = (low + high) // 2
        data = encode(model, image, middle, scale)
        if bits * len(data) <= bpp:
            best, low = data, middle + 1
        else:
            high = middle - 1
    return best


def decode(model: Model, data: bytes) -> UInt8[NDArray[Any], "h w *_c"]:
    """The image of a file's bytes, with as many channels as it had.

    Raises:
        FormatError: the bytes are damaged, another model wrote them, or there is too little memory.
    """
    file = TficFile.unpack(data)
    check_model(model, file.fingerprint)
    plan = planned(model, file.head, len(file.stream))
    stream = file.masked(plan.size, model.fingerprint).stream
    return shown(plan, plan.codec.decompress(stream, plan.height, plan.width))


def check_model(model: Model, fingerprint: bytes) -> None:
    """Looks whether a file's fingerprint is the model's.

    Raises:
        FormatError: it is another one's.
    """
    own = model.fingerprint[:FINGERPRINT_BYTES]
    if fingerprint != own:
        raise FormatError(
            f"model {fingerprint.hex()} wrote this file, and this is model {own.hex()}; give the other one's model.pt"
        )


def planned(model: Model, head: Head, stream_bytes: int) -> Plan:
    """What decoding an image takes, looked at before anything is allocated.

    Args:
        stream_bytes: of the stream that holds the image.

    Raises:
        FormatError: the image is none that this model wrote into so many bytes, or there is too little memory.
    """
    size, codec = _size(model, head), _codec(model, head)
    inner = scaled(size, head.scale)
    width, height = (round_up(side, codec.downsampling_factor) for side in inner)
    plan = Plan(size, inner, head.grey, codec, height, width)
    _check_stream(plan, stream_bytes)
    _check_memory(model, plan.pixels, size)
    return plan


def shown(plan: Plan, padded: Float[Tensor, "1 3 h w"]) -> UInt8[NDArray[Any], "h2 w2 *_c"]:
    """A reconstruction from 0 to 1 without its padding, with as many pixels and channels as the image had."""
    image = resized(to_bytes(padded[:, :, : plan.coded.height, : plan.coded.width]), plan.size)
    return np.asarray(Image.fromarray(image).convert("L")) if plan.grey else image


def _size(model: Model, head: Head) -> Size:
    """The size that a file asks for."""
    size = head.size or model.canvas
    if size is None:
        raise FormatError("the file does not say its image's size, and this model has none of its own; it is damaged")
    if not head.scale or not _fits(size) or not _fits(scaled(size, head.scale)):
        raise FormatError(f"the file asks for an image of {size.width}x{size.height} pixels; it is damaged")
    return size


def _codec(model: Model, head: Head) -> Codec:
    """The codec that a file asks for."""
    try:
        return model.codec_at(head.quality)
    except ModelError as error:
        raise FormatError(
            "the file is damaged: this model has no such position of a dial; transfer it again"
        ) from error


def _check_stream(plan: Plan, stream_bytes: int) -> None:
    """Looks whether a stream is long enough for so many pixels, of which a few bytes can claim any number."""
    least = math.ceil(plan.codec.least_bits_per_pixel() * plan.pixels / 8) if plan.pixels > LARGE else 0
    if least > stream_bytes:
        raise FormatError(
            f"the file asks for an image of {plan.size.width}x{plan.size.height} pixels, for which its {stream_bytes} "
            f"bytes are too few: at least {least} are needed; it is damaged"
        )


def _check_memory(model: Model, pixels: int, size: Size) -> None:
    """Looks whether there is as much as an image takes: a process that takes more is ended without a word."""
    each = codecs.BYTES_PER_PIXEL[model.codec_name]
    needed = each * pixels + RESIZED_BYTES * max(0, math.prod(size) - pixels)
    if needed <= each * LARGE:
        return
    if needed > (free := memory.available()):
        raise FormatError(
            f"an image of {math.prod(size) / 1e6:.1f} million pixels takes {needed / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} are free; cut it up, or use a machine with more"
        )


def _fits(size: Size) -> bool:
    return all(0 < side <= LARGEST_SIDE for side in size) and math.prod(size) <= LARGEST_AREA
