"""WebP: RIFF's and VP8's headers (RFC 9649), 27 bytes of a lossy file and 25 of a lossless one."""

import struct

from models.baselines.containers.base import Container, Parts
from models.errors import FormatError

RIFF = struct.Struct("<4sI4s4sI")
REPEATED = {b"VP8 ": slice(3, 10), b"VP8L": slice(0, 5)}
"""Start code, width and height in a lossy frame (after the frame tag); signature, width, height, alpha, version."""


def split(data: bytes) -> Parts:
    """Takes the headers out; both sizes follow from the length of the rest.

    Raises:
        FormatError: it is no WebP file of one chunk.
    """
    if len(data) < RIFF.size:
        raise FormatError(f"{len(data)} bytes are no WebP file; encode the image again")
    riff, _, webp, kind, size = RIFF.unpack_from(data)
    if (riff, webp) != (b"RIFF", b"WEBP") or kind not in REPEATED or len(data) != RIFF.size + size + size % 2:
        raise FormatError(
            f"a WebP file of one VP8 or VP8L chunk was expected, not {data[:16]!r}; save it without alpha"
        )
    body, place = data[RIFF.size : RIFF.size + size], REPEATED[kind]
    return Parts(kind + body[place], body[: place.start] + body[place.stop :])


def join(parts: Parts) -> bytes:
    """The WebP file."""
    kind, repeated = parts.shared[:4], parts.shared[4:]
    start = REPEATED[kind].start
    body = parts.own[:start] + repeated + parts.own[start:]
    padding = bytes(len(body) % 2)
    return RIFF.pack(b"RIFF", 12 + len(body) + len(padding), b"WEBP", kind, len(body)) + body + padding


WEBP = Container(split, join)
