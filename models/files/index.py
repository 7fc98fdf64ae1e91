"""Where the groups of an archive lie, and what its images are called.

An archive is its index, the names, the groups, the index once more and three bytes that tell how long that is:
whichever of the two is whole says where everything lies, from the one end of the file or from the other.

The index:

1 byte   "p"; another version of the format takes another letter
2 bytes  model fingerprint
LEB128   bytes of the names, then how many groups there are; images and bytes of each
4 bytes  CRC-32

The names are deflated, and end with a CRC-32. Of each name they hold how many bytes it has in common with the name
before, then its other bytes, then 0.
"""

import os
import zlib
from collections.abc import Sequence
from itertools import takewhile
from pathlib import PurePosixPath
from typing import NamedTuple

from models.errors import FormatError
from models.files.framing import FINGERPRINT_BYTES, read_varint, varint

MAGIC = b"p"
CRC_BYTES, LENGTH_BYTES = 4, 3
GROUP_IMAGES = 32
"""Most images of a group: what decoding one of them takes, and what damage to a byte loses."""
MOST_IMAGES = 1 << 20
"""Of an archive."""
NAMES_BYTES = 1 << 26
"""Most that all names take, as they are written and in memory."""
COMMON = 255
"""Most bytes that a name shares with the one before."""


class Place(NamedTuple):
    """What the index says of a group."""

    images: int
    length: int
    """Bytes."""


class Index(NamedTuple):
    """What an archive's first and last bytes say."""

    fingerprint: bytes
    names_bytes: int
    groups: list[Place]

    def pack(self) -> bytes:
        """The index's bytes.

        Raises:
            FormatError: the archive has too many images.
        """
        if sum(group.images for group in self.groups) > MOST_IMAGES:
            raise FormatError(f"an archive has {MOST_IMAGES} images at most; make several")
        numbers = [self.names_bytes, len(self.groups), *(number for group in self.groups for number in group)]
        return with_crc(MAGIC + self.fingerprint + b"".join(map(varint, numbers)))

    @classmethod
    def unpack(cls, data: bytes) -> "Index":
        """Reads the index that `data` begins with.

        Raises:
            FormatError: there is none, or it is damaged.
        """
        if not data.startswith(MAGIC):
            raise FormatError("this is no archive; make one with python -m models compress FOLDER FILE.tfics")
        at = 1 + FINGERPRINT_BYTES
        names_bytes, at = read_varint(data, at)
        count, at = read_varint(data, at)
        groups, images = list[Place](), 0
        for _ in range(count):
            number, at = read_varint(data, at)
            length, at = read_varint(data, at)
            groups.append(Place(number, length))
            images += number
            if not 0 < number <= GROUP_IMAGES or images > MOST_IMAGES:
                raise FormatError(f"the archive's index is damaged: it tells of {images} images")
        without_crc(data[: at + CRC_BYTES], "index is")
        return cls(data[1 : 1 + FINGERPRINT_BYTES], names_bytes, groups)

    @classmethod
    def find(cls, data: bytes) -> "Index":
        """The index of an archive, from either end.

        Raises:
            FormatError: this is no archive, or neither is whole.
        """
        try:
            return cls.unpack(data)
        except FormatError as error:
            end = len(data) - LENGTH_BYTES
            start = end - int.from_bytes(data[-LENGTH_BYTES:], "little")
            if not 0 <= start < end:
                raise
            try:
                return cls.unpack(data[start:end])
            except FormatError:
                raise error from None


def ending(packed: bytes) -> bytes:
    """The index once more, as an archive ends."""
    return packed + len(packed).to_bytes(LENGTH_BYTES, "little")


def pack_names(names: Sequence[str]) -> bytes:
    """The names' bytes.

    Raises:
        FormatError: they are too long.
    """
    written, before = bytearray(), b""
    for name in map(os.fsencode, names):
        pairs = zip(name[:COMMON], before, strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        written += bytes([common]) + name[common:] + b"\0"
        before = name
    if max(len(written), sum(map(len, names))) > NAMES_BYTES:
        raise FormatError(f"the names of an archive's images take {NAMES_BYTES} bytes at most; make several")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return with_crc(deflate.compress(bytes(written)) + deflate.flush())


def unpack_names(data: bytes, count: int) -> list[str]:
    """Reads the names of `count` images.

    Raises:
        FormatError: they are damaged, two are equal, or one would lie outside of the folder that it is written to.
    """
    packed = without_crc(data, "names are")
    try:
        written = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, NAMES_BYTES)
        names = _names(written, count)
    except (zlib.error, IndexError, ValueError) as error:
        raise FormatError("the archive's names are damaged") from error
    if len(set(names)) < count or not all(map(_is_inside, names)):
        raise FormatError("the archive's names are none of files in a folder")
    return names


def _names(written: bytes, count: int) -> list[str]:
    names, before, at, total = list[str](), b"", 0, 0
    for _ in range(count):
        end = written.index(b"\0", at + 1)
        before = before[: written[at]] + written[at + 1 : end]
        names.append(os.fsdecode(before))
        at, total = end + 1, total + len(before)
        if total > NAMES_BYTES:
            raise ValueError("names that grow")
    if at != len(written):
        raise ValueError("more names than images")
    return names


def _is_inside(name: str) -> bool:
    """Whether it names a file in a folder or its folders, and is written as a path is."""
    path = PurePosixPath(name)
    return not path.is_absolute() and bool(path.parts) and ".." not in path.parts and str(path) == name


def with_crc(data: bytes) -> bytes:
    """The data and its CRC-32."""
    return data + zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def without_crc(data: bytes, what: str) -> bytes:
    """The data before its CRC-32.

    Raises:
        FormatError: the CRC-32 is that of other data.
    """
    if len(data) < CRC_BYTES or with_crc(data[:-CRC_BYTES]) != data:
        raise FormatError(f"the archive's {what} damaged; transfer it again")
    return data[:-CRC_BYTES]
