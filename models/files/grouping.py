"""The bytes of a group: images of an archive whose latents share one stream of the entropy coder.

1 byte   what kind of image the first is, as of a .tfic file but without "x"; plus 8 where the images' kinds differ,
         plus 16 where their sizes do, plus 32 where their positions of the dial do
         kinds of the others, a byte each, if they differ
         scale and size, as of a .tfic file: of each, or once for all; of the model's canvas nothing
1 byte   the dial's position, if any: of each, or once for all
         the codec's stream, whose first 8 bytes are masked

The mask depends on the whole fingerprint, on all that stands before the stream, on the images' sizes and on the group's
place among the others. As in a .tfic file, the state that decoding comes back to is the group's checksum.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from models.errors import FormatError
from models.files.framing import DIAL, GREY, SIZED, WHOLE, Head, masked, read_size
from models.files.model import Size

KINDS, SIZES, QUALITIES = 8, 16, 32
"""Which of the images' properties differ."""

Value = TypeVar("Value")


class Group(NamedTuple):
    """Images that are coded together."""

    heads: list[Head]
    stream: bytes
    """Masked."""

    @property
    def header(self) -> bytes:
        """All before the stream."""
        first, *others = self.heads
        kinds, sizes, qualities = (len(set(column)) > 1 for column in self._columns)
        header = bytes([first.kind + KINDS * kinds + SIZES * sizes + QUALITIES * qualities])
        header += bytes(head.kind for head in others if kinds)
        header += b"".join(head.packed_size for head in (self.heads if sizes else [first]))
        return header + b"".join(head.packed_quality for head in (self.heads if qualities else [first]))

    @property
    def _columns(self) -> tuple[list[int], list[bytes], list[bytes]]:
        heads = self.heads
        return (
            [head.kind for head in heads],
            [head.packed_size for head in heads],
            [head.packed_quality for head in heads],
        )

    def pack(self) -> bytes:
        """The group's bytes."""
        return self.header + self.stream

    @classmethod
    def unpack(cls, data: bytes, count: int) -> "Group":
        """Reads the bytes of a group of `count` images.

        Raises:
            FormatError: they are damaged.
        """
        first = next(iter(data), 0)
        at = count if first & KINDS else 1
        if len(data) <= at:
            raise FormatError("the group's header is damaged: it ends early")
        kinds = [first & (KINDS - 1), *data[1:at]] if first & KINDS else [first] * count
        sizes, at = _column(kinds, SIZED, bool(first & SIZES), lambda at: read_size(data, at), at)
        qualities, at = _column(kinds, DIAL, bool(first & QUALITIES), lambda at: (data[at], at + 1), at)
        group = cls(list(map(_head, kinds, sizes, qualities)), data[at:])
        if len(data) <= at or group.header != data[:at]:
            raise FormatError("the group's header is damaged")
        return group

    def masked(self, sizes: Sequence[Size], fingerprint: bytes, number: int) -> "Group":
        """The group with the first bytes of its stream masked, or unmasked again.

        Args:
            sizes: the images', whether the group says them or not.
            fingerprint: the model's, all of it.
            number: of the groups before this one.
        """
        told = repr([tuple(size) for size in sizes]).encode()
        return self._replace(stream=masked(self.stream, fingerprint + self.header + told + number.to_bytes(4)))


def _head(kind: int, sized: tuple[Size, int] | None, quality: int | None) -> Head:
    size, scale = sized or (None, WHOLE)
    return Head(size, quality, bool(kind & GREY), scale)


def _column(
    kinds: list[int], having: int, each: bool, read: Callable[[int], tuple[Value, int]], at: int
) -> tuple[list[Value | None], int]:
    """A property of each image whose kind has it, and where the bytes of all end; `each`: they differ."""
    values: list[Value | None] = []
    try:
        for kind in kinds:
            value = None
            if kind & having and (each or not values):
                value, at = read(at)
            values.append(value if each or not values else values[0])
    except IndexError as error:
        raise FormatError("the group's header is damaged: it ends early") from error
    return values, at
