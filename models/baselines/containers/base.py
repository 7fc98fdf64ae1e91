"""What is common to all containers."""

from collections.abc import Callable
from typing import NamedTuple


class Parts(NamedTuple):
    """A file in two: what all files of a batch (one codec, one setting, one size) share, and what is its own."""

    shared: bytes
    """Headers, tables and markers; fields that follow from the length or content of `own` are zero."""
    own: bytes
    """What a batch keeps for each file, of which the batch knows the length."""


class Container(NamedTuple):
    """`join(split(data))` is `data`."""

    split: Callable[[bytes], Parts]
    """File -> parts. Raises FormatError where the file is not as this project's codecs write it."""
    join: Callable[[Parts], bytes]
    """Parts -> file."""


def joined(parts: Parts) -> bytes:
    """A file whose shared bytes all come first."""
    return parts.shared + parts.own
