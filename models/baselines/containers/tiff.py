"""TIFF around one strip of CCITT G4, with the least directory that libtiff reads: 86 bytes."""

import struct

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

HEADER = struct.Struct("<2sHI")
ENTRY = struct.Struct("<HHII")
WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, STRIP_BYTES = 256, 257, 259, 262, 273, 279
LONG = 4
GROUP_4, WHITE_IS_ZERO = 4, 0
TAGS = (WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, STRIP_BYTES)
SIZE = HEADER.size + 2 + len(TAGS) * ENTRY.size + 4


def pack(strip: bytes, width: int, height: int) -> bytes:
    """A TIFF file with a bilevel image, whose strip libtiff has coded."""
    values = (width, height, GROUP_4, WHITE_IS_ZERO, SIZE, len(strip))
    entries = b"".join(ENTRY.pack(tag, LONG, 1, value) for tag, value in zip(TAGS, values, strict=True))
    return HEADER.pack(b"II", 42, HEADER.size) + struct.pack("<H", len(TAGS)) + entries + bytes(4) + strip


def split(data: bytes) -> Parts:
    """Takes header and directory out; the strip's length follows.

    Raises:
        FormatError: it is no file that `pack` has written.
    """
    head, strip = data[: SIZE - 8], data[SIZE:]
    expected = HEADER.pack(b"II", 42, HEADER.size) + struct.pack("<H", len(TAGS))
    if not head.startswith(expected) or data[SIZE - 8 : SIZE - 4] != struct.pack("<I", len(strip)):
        raise FormatError(f"a TIFF file of one strip was expected, not {data[:10]!r}; encode the image again")
    return Parts(head + bytes(8), strip)


def join(parts: Parts) -> bytes:
    """The TIFF file."""
    return parts.shared[: SIZE - 8] + struct.pack("<II", len(parts.own), 0) + parts.own


TIFF = Container(split, join)
