"""JPEG: markers, quantization tables and headers are repeated; Huffman tables where they are not the image's own."""

import struct
from collections.abc import Iterator
from functools import partial

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

START, END = b"\xff\xd8", b"\xff\xd9"
SCAN, TABLES = b"\xff\xda", b"\xff\xc4"


def split(data: bytes, *, own_tables: bool) -> Parts:
    """Takes the segments out, up to the coded scan.

    Args:
        own_tables: Huffman tables are optimized for the image, and stay with it.

    Raises:
        FormatError: it is no JPEG file of one scan.
    """
    if not data.startswith(START) or not data.endswith(END):
        raise FormatError(f"a JPEG file was expected, not {data[:4]!r}; encode the image again")
    shared, own, at = START, b"", len(START)
    for segment in _segments(data, at):
        at += len(segment)
        if own_tables and segment.startswith(TABLES):
            own += segment
        else:
            shared += segment
    return Parts(shared, own + data[at : -len(END)])


def join(parts: Parts) -> bytes:
    """The JPEG file: the image's own tables stand before the scan's header, where libjpeg writes them."""
    *head, scan = _segments(parts.shared, len(START))
    tables = b""
    while parts.own.startswith(TABLES, len(tables)):
        tables += _segment(parts.own, len(tables))
    return START + b"".join(head) + tables + scan + parts.own[len(tables) :] + END


def _segments(data: bytes, at: int) -> Iterator[bytes]:
    """Segments with their markers, up to that of the scan."""
    segment = b""
    while not segment.startswith(SCAN):
        segment = _segment(data, at)
        at += len(segment)
        yield segment


def _segment(data: bytes, at: int) -> bytes:
    if at + 4 > len(data) or data[at] != 0xFF:
        raise FormatError(f"a JPEG marker was expected at byte {at} of {len(data)}; encode the image again")
    return data[at : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]


OPTIMIZED = Container(partial(split, own_tables=True), join)
STANDARD = Container(partial(split, own_tables=False), join)
