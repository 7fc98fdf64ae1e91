"""The .tfic file: one image, compressed by one model.

1 byte   "T", plus 1 with a dial, plus 2 of a grey image
2 bytes  model fingerprint
LEB128   width, then height
1 byte   the dial's position, if any
         the codec's stream
2 bytes  CRC-32's lower end, over all before it
"""

import math
import zlib
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.errors import FormatError
from models.files import memory
from models.files.model import QUALITIES, Model

MAGIC, DIAL, GREY = ord("T"), 1, 2
"""Another version of the format takes another multiple of 4 in place of "T"."""
FINGERPRINT_BYTES = 2
CRC_BYTES = 2
LARGEST_SIDE = 1 << 16
LARGEST_AREA = 178_956_970
"""Pixels; Pillow opens no larger images."""

LARGE = 1 << 18
"""Pixels of an image for which memory may be too little, padding included."""


class TficFile(NamedTuple):
    """What a .tfic file says."""

    fingerprint: bytes
    width: int
    height: int
    quality: int | None
    """The dial's position; None of a model without one."""
    stream: bytes
    grey: bool = False
    """Whether the image has one channel."""

    @property
    def own_bytes(self) -> int:
        """Bytes without those that a batch of files of one model and size would store once: the dial's position, the
        stream and the checksum."""
        return (self.quality is not None) + len(self.stream) + CRC_BYTES

    def pack(self) -> bytes:
        """The file's bytes."""
        kind = bytes([MAGIC + (0 if self.quality is None else DIAL) + (GREY if self.grey else 0)])
        quality = b"" if self.quality is None else bytes([self.quality])
        content = kind + self.fingerprint + _varint(self.width) + _varint(self.height) + quality + self.stream
        return content + _crc(content)

    @classmethod
    def unpack(cls, data: bytes) -> "TficFile":
        """Reads a file's bytes.

        Raises:
            FormatError: this is no .tfic file, or it is damaged.
        """
        kind = data[0] - MAGIC if data else -1
        if not 0 <= kind <= DIAL + GREY:
            raise FormatError("this is no .tfic file; make one with python -m models compress")
        content, crc = data[:-CRC_BYTES], data[-CRC_BYTES:]
        after_fingerprint = 1 + FINGERPRINT_BYTES
        if len(content) < after_fingerprint + 3 or _crc(content) != crc:
            raise FormatError("the file is damaged: its checksum is wrong; transfer it again")
        width, at = _read_varint(content, after_fingerprint)
        height, at = _read_varint(content, at)
        if not _fits(width, height):
            raise FormatError(f"the file asks for an image of {width}x{height} pixels; it is damaged")
        quality = None
        if kind & DIAL:
            if at == len(content):
                raise FormatError("the file is damaged: it ends before its dial's position; transfer it again")
            quality, at = content[at], at + 1
        return cls(content[1:after_fingerprint], width, height, quality, content[at:], bool(kind & GREY))


def encode(model: Model, image: UInt8[NDArray[Any], "h w *_c"], quality: int | None = None) -> bytes:
    """Compresses an image of any size, RGB or of one channel without an axis, to a file's bytes.

    `quality` is the position of a model's dial, 0 to 100.

    Raises:
        FormatError: a side is too long, or the image too large, if only for the memory that there is.
    """
    height, width = image.shape[:2]
    if not _fits(width, height):
        raise FormatError(
            f"{width}x{height} pixels are too many; "
            f"a side has {LARGEST_SIDE} at most, an image {LARGEST_AREA}: cut it up"
        )
    codec = model.codec_at(quality)
    factor = codec.downsampling_factor
    _check_memory(model, _round_up(height, factor) * _round_up(width, factor))
    stream = codec.compress(pad(to_float(rgb(image)), factor))
    return TficFile(model.fingerprint[:FINGERPRINT_BYTES], width, height, quality, stream, image.ndim == 2).pack()


def encode_within(model: Model, image: UInt8[NDArray[Any], "h w *_c"], bpp: float) -> bytes:
    """The file of the highest quality that takes at most `bpp` bits per pixel, found by bisection along the dial.

    Raises:
        FormatError: the lowest quality needs more.
        ModelError: the model has no dial.
    """
    bits = 8 / (image.shape[0] * image.shape[1])
    best = encode(model, image, QUALITIES[0])
    if bits * len(best) > bpp:
        raise FormatError(f"the least that this model makes of this image is {bits * len(best):.4f} bpp; ask for more")
    low, high = QUALITIES[0] + 1, QUALITIES[-1]
    while low <= high:
        middle = (low + high) // 2
        data = encode(model, image, middle)
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
    fingerprint = model.fingerprint[:FINGERPRINT_BYTES]
    if file.fingerprint != fingerprint:
        raise FormatError(
            f"model {file.fingerprint.hex()} wrote this file, and this is model {fingerprint.hex()}; "
            "give the other one's model.pt"
        )
    codec = model.codec_at(file.quality)
    height, width = (_round_up(side, codec.downsampling_factor) for side in (file.height, file.width))
    _check_stream(codec, file, height * width)
    _check_memory(model, height * width)
    padded = codec.decompress(file.stream, height, width)
    image = to_bytes(padded[:, :, : file.height, : file.width])
    return np.asarray(Image.fromarray(image).convert("L")) if file.grey else image


def rgb(image: UInt8[NDArray[Any], "h w *_c"]) -> UInt8[NDArray[Any], "h w 3"]:
    """Three equal channels of one."""
    return np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image


def pad(image: Float[Tensor, "b 3 h w"], factor: int) -> Float[Tensor, "b 3 h2 w2"]:
    """Repeats the last row and column until both sides are multiples of `factor`."""
    height, width = image.shape[2:]
    return F.pad(image, (0, _round_up(width, factor) - width, 0, _round_up(height, factor) - height), "replicate")


def to_float(image: UInt8[NDArray[Any], "h w 3"]) -> Float[Tensor, "1 3 h w"]:
    """Pixels 0 to 255 -> 0 to 1."""
    return torch.tensor(image).permute(2, 0, 1).unsqueeze(0).float() / 255


def to_bytes(image: Float[Tensor, "1 3 h w"]) -> UInt8[NDArray[Any], "h w 3"]:
    """Pixels 0 to 1 -> 0 to 255, rounded."""
    return np.asarray((image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu(), np.uint8)


def _check_stream(codec: Codec, file: TficFile, pixels: int) -> None:
    """Looks whether a stream is long enough for so many pixels, of which a few bytes can claim any number."""
    least = math.ceil(codec.least_bits_per_pixel() * pixels / 8) if pixels > LARGE else 0
    if least > len(file.stream):
        raise FormatError(
            f"the file asks for an image of {file.width}x{file.height} pixels, for which its {len(file.stream)} bytes "
            f"are too few: at least {least} are needed; it is damaged"
        )


def _check_memory(model: Model, pixels: int) -> None:
    """Looks whether there is as much as an image takes: a process that takes more is ended without a word."""
    if pixels <= LARGE:
        return
    needed, free = codecs.BYTES_PER_PIXEL[model.codec_name] * pixels, memory.available()
    if needed > free:
        raise FormatError(
            f"an image of {pixels / 1e6:.1f} million pixels takes {needed / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} are free; cut it up, or use a machine with more"
        )


def _fits(width: int, height: int) -> bool:
    return 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and width * height <= LARGEST_AREA


def _round_up(side: int, factor: int) -> int:
    return -(-side // factor) * factor


def _crc(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4)[-CRC_BYTES:]


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if rest == 0 else bytes([low | 0x80]) + _varint(rest)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that starts at `at`, and where it ends."""
    value = 0
    for shift in range(0, 28, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise FormatError("the file's image size is damaged")
