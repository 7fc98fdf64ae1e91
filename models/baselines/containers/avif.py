"""AVIF of one image as libavif writes it: boxes (ISO 14496-12) and AV1's sequence header are repeated.

What is left is the payload of AV1's frame; its size in `mdat`, in `iloc` and before the frame follow.
"""

import struct

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

ONE_EXTENT = b"iloc\0\0\0\0\x44\0\0\x01\0\x01\0\0\0\x01"
"""iloc of one item with one extent, whose offset and length follow, four bytes each."""
FRAME = 0x32
"""First byte of a unit that is a frame with a size."""


def split(data: bytes) -> Parts:
    """Takes boxes and sequence header out.

    Raises:
        FormatError: it is no AVIF file of one image whose boxes end with the coded data.
    """
    place, media = _extent(data), _media(data)
    size = len(data) - media - 4
    lengths = struct.unpack_from(">I", data, media - 4)[0], struct.unpack_from(">I", data, place)[0]
    if lengths != (size + 8, size):
        raise FormatError(f"an AVIF file of one image was expected, not {data[:12]!r}; save it without alpha")
    frame, length, start = _frame(data, media + 4)
    if start + length != len(data):
        raise FormatError(f"an AVIF file whose last unit is its frame was expected, not {data[frame : frame + 4]!r}")
    shared = data[: media - 4] + bytes(4) + data[media:frame]
    return Parts(_with(shared, place, 0), data[start:])


def join(parts: Parts) -> bytes:
    """The AVIF file."""
    place, media = _extent(parts.shared), _media(parts.shared)
    coded = parts.shared[media + 4 :] + bytes((FRAME,)) + _leb128(len(parts.own)) + parts.own
    boxes = _with(_with(parts.shared[: media + 4], place, len(coded)), media - 4, len(coded) + 8)
    return boxes + coded


def _extent(data: bytes) -> int:
    """Where the length of the image's data stands."""
    at = data.find(ONE_EXTENT)
    if data[4:8] != b"ftyp" or at < 0:
        raise FormatError(f"an AVIF file of one image was expected, not {data[:12]!r}; save it without alpha")
    return at + len(ONE_EXTENT) + 4


def _media(data: bytes) -> int:
    """Where the type of the box with the coded data stands."""
    at = 0
    while data[at + 4 : at + 8] != b"mdat":
        length = int.from_bytes(data[at : at + 4], "big")
        at += length
        if length < 8 or at + 8 > len(data):
            raise FormatError("this AVIF file has no box of coded data; encode the image again")
    return at + 4


def _frame(data: bytes, at: int) -> tuple[int, int, int]:
    """Where the frame's unit starts, the length of its payload, and where that starts; AV1 specification, 5.3."""
    while at < len(data):
        length, start = _read_leb128(data, at + 1)
        if data[at] == FRAME:
            return at, length, start
        at = start + length
    raise FormatError("this AVIF file has no frame with a size; encode the image again")


def _read_leb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            break
    return value, at


def _leb128(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes((*data, value))


def _with(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + struct.pack(">I", value) + data[place + 4 :]


AVIF = Container(split, join)
