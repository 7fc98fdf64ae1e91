"""PNG: signature, IHDR, PLTE, IEND, the framing of IDAT and zlib's header and checksum: 63 bytes and more."""

import struct
import zlib
from collections.abc import Iterator

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = 2
"""Bytes of zlib's header; its Adler-32 at the end has four."""


def split(data: bytes) -> Parts:
    """Takes all but the deflated pixels out; lengths, CRCs and Adler-32 follow from these.

    Raises:
        FormatError: it is no PNG file.
    """
    if not data.startswith(SIGNATURE):
        raise FormatError(f"a PNG file was expected, not {data[:8]!r}; encode the image again")
    shared, pixels = SIGNATURE, b""
    for kind, body in _chunks(data):
        if kind != b"IDAT":
            shared += _chunk(kind, body)
        elif not pixels:
            shared += _chunk(kind, body[:HEADER])
        pixels += body if kind == b"IDAT" else b""
    return Parts(shared, pixels[HEADER:-4])


def join(parts: Parts) -> bytes:
    """The PNG file, with one IDAT."""
    data = SIGNATURE
    for kind, body in _chunks(parts.shared):
        data += _chunk(kind, body + parts.own + _adler(parts.own) if kind == b"IDAT" else body)
    return data


def _adler(deflated: bytes) -> bytes:
    return struct.pack(">I", zlib.adler32(zlib.decompress(deflated, -zlib.MAX_WBITS)))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = Container(split, join)
