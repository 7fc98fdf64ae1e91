"""The bytes of a .tfic file around a codec's stream.

1 byte   "X", plus 1 with a dial, plus 2 of a grey image, plus 4 of another size than the model's canvas
2 bytes  model fingerprint
LEB128   width, then height, if they are another size
1 byte   the dial's position, if any
         the codec's stream, whose first 8 bytes are masked

The mask depends on all that stands before the stream, on the image's size and on the whole fingerprint. Where any of
them is damaged, or the stream is, decoding comes back to another state than the one that coding started from: the
entropy coder's own redundancy is the file's only checksum.
"""

import hashlib
from typing import NamedTuple

from models.errors import FormatError
from models.files.model import Size

MAGIC, DIAL, GREY, SIZED = ord("X"), 1, 2, 4
"""Another version of the format takes another multiple of 8 in place of "X"."""
FINGERPRINT_BYTES = 2
MASK_BYTES = 8
"""Of the stream: the state that decoding starts from."""


class TficFile(NamedTuple):
    """What a .tfic file says."""

    fingerprint: bytes
    size: Size | None
    """None: the model's canvas."""
    quality: int | None
    """The dial's position; None of a model without one."""
    stream: bytes
    """Masked."""
    grey: bool = False
    """Whether the image has one channel."""

    @property
    def own_bytes(self) -> int:
        """Bytes without those that a batch of files of one model and size would store once: the dial's position and the
        stream."""
        return (self.quality is not None) + len(self.stream)

    @property
    def header(self) -> bytes:
        """All before the stream."""
        kind = MAGIC + DIAL * (self.quality is not None) + GREY * self.grey + SIZED * (self.size is not None)
        size = b"" if self.size is None else b"".join(map(_varint, self.size))
        quality = b"" if self.quality is None else bytes([self.quality])
        return bytes([kind]) + self.fingerprint + size + quality

    def pack(self) -> bytes:
        """The file's bytes."""
        return self.header + self.stream

    @classmethod
    def unpack(cls, data: bytes) -> "TficFile":
        """Reads a file's bytes.

        Raises:
            FormatError: this is no .tfic file, or it is damaged.
        """
        kind = data[0] - MAGIC if data else -1
        if not 0 <= kind <= DIAL + GREY + SIZED:
            raise FormatError("this is no .tfic file; make one with python -m models compress")
        size, quality, at = None, None, 1 + FINGERPRINT_BYTES
        if kind & SIZED:
            width, at = _read_varint(data, at)
            height, at = _read_varint(data, at)
            size = Size(width, height)
        if kind & DIAL:
            quality, at = next(iter(data[at:]), 0), at + 1
        if len(data) <= at:
            raise FormatError("the file is damaged: it ends before its image; transfer it again")
        return cls(data[1 : 1 + FINGERPRINT_BYTES], size, quality, data[at:], bool(kind & GREY))

    def masked(self, size: Size, fingerprint: bytes) -> "TficFile":
        """The file with the first bytes of its stream masked, or unmasked again.

        Args:
            size: the image's, whether the file says it or not.
            fingerprint: the model's, all of it.
        """
        mask = hashlib.sha256(fingerprint + self.header + repr((*size,)).encode()).digest()
        first = bytes(byte ^ other for byte, other in zip(self.stream[:MASK_BYTES], mask, strict=False))
        return self._replace(stream=first + self.stream[MASK_BYTES:])


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
