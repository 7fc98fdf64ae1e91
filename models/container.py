"""The .tfic file: one image, compressed by one model.

3 bytes  "TF", version     3 bytes  model fingerprint      LEB128   width, then height
         the codec's stream  3 bytes  CRC-32's lower end, over all before it
"""

import zlib
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from models.errors import FormatError
from models.trained import TrainedCodec

MAGIC = b"TF\x01"
CRC_BYTES = 3
LARGEST_SIDE = 1 << 16


class TficFile(NamedTuple):
    """What a .tfic file says."""

    fingerprint: bytes
    width: int
    height: int
    stream: bytes

    def pack(self) -> bytes:
        """The file's bytes."""
        content = MAGIC + self.fingerprint + _varint(self.width) + _varint(self.height) + self.stream
        return content + _crc(content)

    @classmethod
    def unpack(cls, data: bytes) -> "TficFile":
        """Reads a file's bytes.

        Raises:
            FormatError: this is no .tfic file, or it is damaged.
        """
        if data[: len(MAGIC)] != MAGIC:
            raise FormatError("this is no .tfic file of version 1; make one with python -m models compress")
        content, crc = data[:-CRC_BYTES], data[-CRC_BYTES:]
        if len(content) < len(MAGIC) + FINGERPRINT_BYTES + 2 or _crc(content) != crc:
            raise FormatError("the file is damaged: its checksum is wrong; transfer it again")
        width, after_width = _read_varint(content, len(MAGIC) + FINGERPRINT_BYTES)
        height, after_height = _read_varint(content, after_width)
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
            raise FormatError(f"the file asks for an image of {width}x{height} pixels; it is damaged")
        return cls(content[len(MAGIC) :][:FINGERPRINT_BYTES], width, height, content[after_height:])


FINGERPRINT_BYTES = 3


def encode(trained: TrainedCodec, image: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """Compresses an image of any size to a file's bytes."""
    height, width = image.shape[:2]
    stream = trained.codec.compress(pad(to_float(image), trained.codec.downsampling_factor))
    return TficFile(trained.fingerprint[:FINGERPRINT_BYTES], width, height, stream).pack()


def decode(trained: TrainedCodec, data: bytes) -> UInt8[np.ndarray, "h w 3"]:
    """The image of a file's bytes.

    Raises:
        FormatError: the bytes are damaged, or another model wrote them.
    """
    file = TficFile.unpack(data)
    if file.fingerprint != trained.fingerprint[:FINGERPRINT_BYTES]:
        raise FormatError(
            f"model {file.fingerprint.hex()} wrote this file, and this is model "
            f"{trained.fingerprint[:FINGERPRINT_BYTES].hex()}; give the other one's model.pt"
        )
    factor = trained.codec.downsampling_factor
    padded = trained.codec.decompress(file.stream, _round_up(file.height, factor), _round_up(file.width, factor))
    return to_bytes(padded[:, :, : file.height, : file.width])


def pad(image: Float[Tensor, "b 3 h w"], factor: int) -> Float[Tensor, "b 3 h2 w2"]:
    """Repeats the last row and column until both sides are multiples of `factor`."""
    height, width = image.shape[2:]
    return F.pad(image, (0, _round_up(width, factor) - width, 0, _round_up(height, factor) - height), "replicate")


def to_float(image: UInt8[np.ndarray, "h w 3"]) -> Float[Tensor, "1 3 h w"]:
    """Pixels 0 to 255 -> 0 to 1."""
    return torch.tensor(image).permute(2, 0, 1).unsqueeze(0).float() / 255


def to_bytes(image: Float[Tensor, "1 3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Pixels 0 to 1 -> 0 to 255, rounded."""
    return (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()


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
