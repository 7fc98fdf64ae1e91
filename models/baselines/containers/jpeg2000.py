"""JPEG 2000 codestreams of one tile: the main header and the frame of the tile are repeated (ISO 15444-1, annex A)."""

import struct
from collections.abc import Iterator

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

START, END = b"\xff\x4f", b"\xff\xd9"
TILE, DATA, COMMENT = b"\xff\x90", b"\xff\x93", b"\xff\x64"
LENGTH = 6
"""Where the length of a tile stands, from the tile's marker."""


def without_comment(data: bytes) -> bytes:
    """The codestream without the encoder's name, which costs 39 bytes.

    Raises:
        FormatError: it is no codestream.
    """
    for at, segment in _segments(data):
        if segment.startswith(COMMENT):
            return without_comment(data[:at] + data[at + len(segment) :])
    return data


def split(data: bytes) -> Parts:
    """Takes all up to the tile's data out; the tile's length follows.

    Raises:
        FormatError: it is no codestream of one tile.
    """
    tile, end = _header(data)
    if not data.endswith(END) or struct.unpack_from(">I", data, tile + LENGTH)[0] != len(data) - len(END) - tile:
        raise FormatError(f"a JPEG 2000 codestream of one tile was expected, not {data[:4]!r}; encode the image again")
    return Parts(_with_length(data[:end], tile, 0), data[end : -len(END)])


def join(parts: Parts) -> bytes:
    """The codestream."""
    tile, end = _header(parts.shared)
    return _with_length(parts.shared, tile, end - tile + len(parts.own)) + parts.own + END


def _header(data: bytes) -> tuple[int, int]:
    """Where the tile's marker stands, and where its data start."""
    *_, (tile, _), (at, _) = _segments(data)
    return tile, at + len(DATA)


def _with_length(header: bytes, tile: int, length: int) -> bytes:
    return header[: tile + LENGTH] + struct.pack(">I", length) + header[tile + LENGTH + 4 :]


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Places and segments up to the marker of the tile's data."""
    if not data.startswith(START):
        raise FormatError(f"a JPEG 2000 codestream was expected, not {data[:4]!r}; save it with no_jp2")
    at, segment = len(START), b""
    while segment != DATA:
        if at + 4 > len(data) and not data.startswith(DATA, at):
            raise FormatError(f"this JPEG 2000 codestream ends in its header, at byte {at}; encode the image again")
        marker = data[at : at + 2]
        segment = marker if marker == DATA else data[at : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]
        yield at, segment
        at += len(segment)


JPEG2000 = Container(split, join)
