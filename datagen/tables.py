"""A file of labels: CSV, TSV, plain lines or JSON lines of image paths and texts -> named items."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from datagen import columns
from datagen.columns import Row
from datagen.errors import DataError
from datagen.items import NAME_COLUMNS, TEXT_COLUMNS, Item, Source, listed, reader, spellings

SUFFIXES = frozenset({*columns.SEPARATORS, ".jsonl"})
"""Endings of files of labels."""
LOOKED_AT = 1 << 16
"""Bytes that tell whether a file holds labels."""


def read(path: Path, root: Path) -> Source:
    """The images that a file of labels names, beside it or from `root` on.

    Raises:
        DataError: it cannot be read, is not UTF-8, or does not tell which of its columns are image and text.
    """
    lines = _lines(_decoded(path))
    if path.suffix.casefold() == ".jsonl":
        kind, rows = "JSON lines", list(_json_rows(path, lines))
    else:
        separator = columns.separator(path, lines)
        kind, rows = f"image path, {columns.WORDS[separator]}, text", list(columns.rows(path, lines, separator))
    place = path.relative_to(root) if path.is_relative_to(root) else path
    return listed(f"texts from {place} ({kind})", [_item(row, path.parent, root, place) for row in rows])


def holds_labels(path: Path) -> bool:
    """Whether a file's first lines name images, or its columns do; what else is wrong with it is not judged."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
    # Whatever the encoding, names of files are ASCII mostly.
    lines = _lines(head.decode(_utf16(head) or "utf-8-sig", "replace"))
    if path.suffix.casefold() == ".jsonl":
        return bool(lines) and columns.named(list(_object(lines[0][1]))) is not None
    return columns.name_images(path, lines)


def _item(row: Row, folder: Path, root: Path, place: Path) -> Item:
    paths = [at / name for at in dict.fromkeys((folder, root)) for name in spellings(row.name)]
    return Item(row.name, reader(root, *paths), row.text, f"{place}, line {row.line}")


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if _utf16(data):
        raise DataError(f"{path} is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = data[error.start : error.start + 1]
        raise DataError(f"{path}, line {line}: {wrong!r} is not UTF-8; save the file as UTF-8") from error


def _utf16(data: bytes) -> str | None:
    """The encoding of a text in UTF-16, which half of its bytes give away where no mark does; None: it is another."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if 4 * data.count(0) < max(1, len(data)):
        return None
    return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines that are not empty, with their numbers."""
    # str.splitlines would end one at characters that stand within texts, as U+2028.
    lines = enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def _json_rows(path: Path, lines: list[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        entry = _object(line)
        keys = columns.named(list(entry))
        if keys is None:
            raise DataError(
                f"{path}, line {number} is no JSON object with one of {', '.join(NAME_COLUMNS)} and one of "
                f"{', '.join(TEXT_COLUMNS)}: {line[:80]}"
            )
        name, text = (entry[key] for key in keys)
        yield Row(number, str(name), "" if text is None else text)


def _object(line: str) -> dict[str, object]:
    """A line's JSON object; an empty one where it holds none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
