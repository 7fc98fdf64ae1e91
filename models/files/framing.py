"""The bytes of a .tfic file around a codec's stream.

1 byte   "x", plus 1 with a dial, plus 2 of a grey image, plus 4 of another size than the model's canvas
2 bytes  model fingerprint
2 bytes  0, then the scale at which the image is coded, in 64ths, if it is another than its own
LEB128   width, then height, if they are another size or the scale is another
1 byte   the dial's position, if any
         the codec's stream, whose first 8 bytes are masked

The mask depends on all that stands before the stream, on the image's size and on the whole fingerprint. Where any of
them is damaged, or the stream is, decoding comes back to another number than the one that coding started from: the
entropy coder's own redundancy is the file's only checksum.
"""

import hashlib
from typing import NamedTuple

from models.errors import FormatError
from models.files.model import Size

MAGIC, DIAL, GREY, SIZED = ord("x"), 1, 2, 4
"""Another version of the format takes another multiple of 8 in place of "x"."""
FINGERPRINT_BYTES = 2
MASK_BYTES = 8
"""Of the stream: the state that decoding starts from."""
WHOLE = 64
"""The scale of an image that is coded at its own size."""


class Head(NamedTuple):
    """What is said of an image beside its latents."""

    size: Size | None = None
    """None: the model's canvas, at its own scale."""
    quality: int | None = None
    """The dial's position; None of a model without one."""
    grey: bool = False
    """Whether the image has one channel."""
    scale: int = WHOLE
    """What is coded of each side, in 64ths: 1 to 255."""

    @property
    def kind(self) -> int:
        """What follows, and whether the image is grey: the sum that a file's first byte tells."""
        return DIAL * (self.quality is not None) + GREY * self.grey + SIZED * (self.size is not None)

    @property
    def packed_size(self) -> bytes:
        """The scale, if it is not the image's own, and the size, if it is not the canvas."""
        if self.size is None:
            return b""
        # No width is 0.
        return (b"" if self.scale == WHOLE else bytes([0, self.scale])) + b"".join(map(varint, self.size))

    @property
    def packed_quality(self) -> bytes:
        """The dial's position, if there is one."""
        return b"" if self.quality is None else bytes([self.quality])


class TficFile(NamedTuple):
    """What a .tfic file says."""

    fingerprint: bytes
    head: Head
    stream: bytes
    """Masked."""

    @property
    def own_bytes(self) -> int:
        """Bytes without those that a batch of files of one model and size would store once: the dial's position and the
        stream."""
        return len(self.head.packed_quality) + len(self.stream)

    @property
    def header(self) -> bytes:
        """All before the stream."""
        head = self.head
        return bytes([MAGIC + head.kind]) + self.fingerprint + head.packed_size + head.packed_quality

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
        size, scale, quality, at = None, WHOLE, None, 1 + FINGERPRINT_BYTES
        if kind & SIZED:
            (size, scale), at = read_size(data, at)
        if kind & DIAL:
            quality, at = next(iter(data[at:]), 0), at + 1
        if len(data) <= at:
            raise FormatError("the file is damaged: it ends before its image; transfer it again")
        head = Head(size, quality, bool(kind & GREY), scale)
        return cls(data[1 : 1 + FINGERPRINT_BYTES], head, data[at:])

    def masked(self, size: Size, fingerprint: bytes) -> "TficFile":
        """The file with the first bytes of its stream masked, or unmasked again.

        Args:
            size: the image's, whether the file says it or not.
            fingerprint: the model's, all of it.
        """
        return self._replace(stream=masked(self.stream, fingerprint + self.header + repr((*size,)).encode()))


def masked(stream: bytes, bound: bytes) -> bytes:
    """A stream with its first bytes masked by what it is `bound` to, or unmasked again."""
    mask = hashlib.sha256(bound).digest()
    return bytes(byte ^ other for byte, other in zip(stream[:MASK_BYTES], mask, strict=False)) + stream[MASK_BYTES:]


def read_size(data: bytes, at: int) -> tuple[tuple[Size, int], int]:
    """The image's size and scale that start at `at`, and where they end.

    Raises:
        FormatError: the bytes end within them, or a number is too large.
    """
    width, at = read_varint(data, at)
    scale = WHOLE
    if width == 0:
        scale, at = next(iter(data[at:]), 0), at + 1
        width, at = read_varint(data, at)
    height, at = read_varint(data, at)
    return (Size(width, height), scale), at


def varint(value: int) -> bytes:
    """A number as LEB128."""
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if rest == 0 else bytes([low | 0x80]) + varint(rest)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number below 2**28 that starts at `at`, and where it ends.

    Raises:
        FormatError: the bytes end within it, or it is larger.
    """
    value = 0
    for shift in range(0, 28, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise FormatError("a size in the file is damaged")
