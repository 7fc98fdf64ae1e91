"""The lines of a CSV, TSV or plain text file -> image paths and texts, however they are parted."""

import csv
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from datagen.errors import DataError, ItemError
from datagen.fitting import endings
from datagen.items import NAME_COLUMNS, TEXT_COLUMNS

SEPARATORS = {".csv": ",;\t", ".tsv": "\t", ".txt": "\t, "}
"""What may stand between path and text, by the file's ending."""
QUOTED = ",;"
"""Separators of fields that may be quoted."""
WORDS = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "space"}
Lines = list[tuple[int, str]]
"""Lines of a file with their numbers."""


class Row(NamedTuple):
    """A line of a table."""

    line: int
    name: str
    text: object
    """An ItemError: why there is none."""


def separator(path: Path, lines: Lines) -> str:
    """The separator that makes a header of the first line, or stands behind the names of most images."""
    allowed = SEPARATORS.get(path.suffix.casefold(), SEPARATORS[".txt"])
    if header := next((one for one in allowed if _header(lines, one)), None):
        return header
    return max(allowed, key=lambda one: _naming(lines, one))


def name_images(path: Path, lines: Lines) -> bool:
    """Whether most lines begin with an image's name, or the first one names the columns."""
    parting = separator(path, lines)
    return _header(lines, parting) is not None or 2 * _naming(lines, parting) > len(lines)


def rows(path: Path, lines: Lines, separator: str) -> Iterator[Row]:
    """Image path and text of each line; a first line of known column names is a header, else these come first.

    Raises:
        DataError: it has one column, or more than two and no header.
    """
    if separator in QUOTED:
        lines = _joined(lines, separator)
    head = _header(lines, separator)
    if head and len(head) > 2:
        return _wide_rows(lines[1:], separator, head)
    if not head:
        _check_width(path, lines, separator)
    return _two_columns(lines[1:] if head else lines, separator, text_first=bool(head) and head[0] in TEXT_COLUMNS)


def named(there: list[str]) -> tuple[str, str] | None:
    """The columns of image and text among a table's."""
    name, text = (next((name for name in names if name in there), None) for names in (NAME_COLUMNS, TEXT_COLUMNS))
    return None if name is None or text is None else (name, text)


def _naming(lines: Lines, separator: str) -> int:
    """How many lines have the separator behind an image's name."""
    return sum(_after_image(separator).match(line) is not None for _, line in lines)


@functools.cache
def _after_image(separator: str) -> re.Pattern[str]:
    """Matches up to a separator after an image's name, which may hold that separator."""
    kinds = "|".join(sorted(re.escape(ending) for ending in endings()))
    return re.compile(rf'\s*"?(?P<name>[^\t]*?(?:{kinds}))"?{re.escape(separator)}', re.IGNORECASE)


def _header(lines: Lines, separator: str) -> list[str] | None:
    """The names of the columns, where the first line names two of them image and text."""
    head = [name.strip().casefold() for name in _fields(lines[0][1], separator)] if lines else []
    return head if named(head) else None


def _fields(line: str, separator: str) -> list[str]:
    """A line's fields; as they stand, where its quotes do not pair."""
    if separator not in QUOTED:
        return line.split(separator)
    # As the ICDAR contests write: word_1.png, "\"Yes\", he said"
    spaced = f'{separator} "' in line
    escape = "\\" if spaced and '\\"' in line else None
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=spaced, escapechar=escape, strict=True))
    except csv.Error:
        return line.split(separator)


def _joined(lines: Lines, separator: str) -> Lines:
    """The lines; those that an open quote runs over are joined to one."""
    joined: Lines = []
    for number, line in lines:
        if joined and separator not in line and joined[-1][1].count('"') % 2:
            start, before = joined.pop()
            joined.append((start, f"{before}\n{line}"))
        else:
            joined.append((number, line))
    return joined


def _check_width(path: Path, lines: Lines, separator: str) -> None:
    """A table without a header has two columns, of which the text may hold the separator; some will not."""
    widths = {len(_fields(line, separator)) for _, line in lines} - {1}
    if not widths:
        raise DataError(f"{path} has one column; give image paths and texts, separated by {separator!r}")
    if separator != " " and 2 not in widths:
        quoted = f", or quote texts that hold a {separator!r}" if separator in QUOTED else ""
        raise DataError(
            f"{path} has {min(widths)} columns, and its first line does not name two of them image and text; do "
            f"so{quoted}"
        )


def _two_columns(lines: Lines, separator: str, *, text_first: bool) -> Iterator[Row]:
    """Image path and text; a text may hold the separator, and quotes that do not pair."""
    for number, line in lines:
        if separator not in line:
            yield Row(number, line.strip(), ItemError(f"no {WORDS[separator]} parts its line into image path and text"))
        elif text_first:
            text, name = _parted(line, separator, line.rpartition(separator))
            yield Row(number, name, text)
        else:
            found = _after_image(separator).match(line)
            parts = (found["name"], "", line[found.end() :]) if found else line.partition(separator)
            yield Row(number, *_parted(line, separator, parts))


def _parted(line: str, separator: str, parts: tuple[str, str, str]) -> tuple[str, str]:
    """Two fields, if they are no more as a table has them, else the parts."""
    fields = _fields(line, separator)
    first, second = fields if separator in QUOTED and len(fields) == 2 else (parts[0], parts[2])
    return first.strip(), second.strip()


def _wide_rows(lines: Lines, separator: str, head: list[str]) -> Iterator[Row]:
    columns = named(head)
    assert columns is not None, "called for a header"
    name, text = map(head.index, columns)
    for number, line in lines:
        fields = _fields(line, separator)
        if len(fields) == len(head):
            yield Row(number, fields[name].strip(), fields[text])
        else:
            said = f"its line has {len(fields)} columns, the first one {len(head)}"
            advice = f"; quote texts that hold a {separator!r}" if separator in QUOTED else ""
            yield Row(number, fields[min(name, len(fields) - 1)].strip(), ItemError(said + advice))
