"""One image of a user's source, not yet read, and what a source is."""

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from datagen.errors import ItemError, reason

NAME_COLUMNS = ("image", "file", "filename", "file_name", "path", "name")
TEXT_COLUMNS = ("text", "label", "transcription", "words", "word")
"""Columns of images and texts in tables, Parquet and JSON lines; the first that is there counts."""


class Item(NamedTuple):
    """One image, not yet read."""

    name: str
    """Path of the image's file, or its key in a database."""
    read: Callable[[], bytes]
    """The file's bytes; raises ItemError where they cannot be had."""
    label: object
    """The image's text, as the source has it; an ItemError: why it has none; None: nobody asks for it."""
    place: str = ""
    """What names it: a table's line."""

    @property
    def title(self) -> str:
        """What tells the image from others of the source, fit to be printed."""
        return printable(f"{self.name} ({self.place})" if self.place else self.name)


class Source(NamedTuple):
    """What was found."""

    kind: str
    """Where the texts come from, in words."""
    total: int
    """Number of images."""
    items: Callable[[], Iterable[Item]]
    labels: Callable[[], Iterable[tuple[str, object]]]
    """Name and label of every item, without its image."""


def listed(kind: str, items: list[Item]) -> Source:
    """A source whose images are files, so that its items are at hand."""
    return Source(kind, len(items), lambda: items, lambda: ((item.name, item.label) for item in items))


def reader(root: Path, *paths: Path) -> Callable[[], bytes]:
    """Reads the first of the paths that exists, or says why not; none outside `root` is read."""

    def read() -> bytes:
        try:
            file = next(filter(os.path.lexists, paths), paths[0])
            # Path.resolve raises RuntimeError where links go in a circle.
            if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root)):
                raise ItemError("its path leaves the folder; import that one, or copy the images into it")
            return file.read_bytes()
        # A name in a table may hold what no path does.
        except (OSError, ValueError) as error:
            raise ItemError(getattr(error, "strerror", None) or reason(error)) from error

    return read


def spellings(name: str) -> list[str]:
    """A path as a table has it, and as the disk may: with slashes, with accents composed (NFC) or not (NFD, Macs)."""
    names = (name, name.replace("\\", "/"))
    forms = (unicodedata.normalize(form, spelled) for form in ("NFC", "NFD") for spelled in names)
    return list(dict.fromkeys((*names, *forms)))


def printable(name: str) -> str:
    """A path, of which bytes that are no text are spelled out."""
    return name.encode(errors="backslashreplace").decode()
