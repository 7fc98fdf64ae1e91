"""A file of labels: CSV, TSV, plain lines or JSON lines of image paths and texts -> named items."""

import codecs
import csv
import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from datagen.errors import DataError, ItemError
from datagen.fitting import endings
from datagen.items import NAME_COLUMNS, TEXT_COLUMNS, Item, Source, listed, reader, spellings

SEPARATORS = {".csv": ",;\t", ".tsv": "\t", ".txt": "\t, ", ".jsonl": ""}
"""What may stand between path and text, by the file's ending; JSON lines have names instead."""
QUOTED = ",;"
"""Separators of fields that may be quoted."""
WORDS = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "space"}
LOOKED_AT = 1 << 16
"""Bytes that tell whether a file holds labels."""


class Row(NamedTuple):
    """A line of a table."""

    line: int
    name: str
    text: object
    """An ItemError: why there is none."""


def read(path: Path, root: Path) -> Source:
    """The images that a file of labels names, beside it or from `root` on.

    Raises:
        DataError: it cannot be read, is not UTF-8, or does not tell which of its columns are image and text.
    """
    lines = _lines(_decoded(path))
    if path.suffix.casefold() == ".jsonl":
        kind, rows = "JSON lines", list(_json_rows(path, lines))
    else:
        separator = _separator(path, lines)
        kind, rows = f"image path, {WORDS[separator]}, text", list(_rows(path, lines, separator))
    place = path.relative_to(root) if path.is_relative_to(root) else path
    return listed(f"texts from {place} ({kind})", [_item(row, path.parent, root, place) for row in rows])


def holds_labels(path: Path) -> bool:
    """Whether a file's first lines name images, or its columns do; what else is wrong with it is not judged."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
    # Whatever the encoding, names of files are ASCII mostly.
    lines = _lines(head.decode(_utf16(head) or "utf-8-sig", "replace"))
    if path.suffix.casefold() == ".jsonl":
        return _json_names(lines)
    separator = _separator(path, lines)
    named = sum(_after_image(separator).match(line) is not None for _, line in lines)
    return _header(lines, separator) is not None or 2 * named > len(lines)


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


@functools.cache
def _after_image(separator: str) -> re.Pattern[str]:
    """Matches up to a separator after an image's name, which may hold that separator."""
    kinds = "|".join(sorted(re.escape(ending) for ending in endings()))
    return re.compile(rf'\s*"?(?P<name>[^\t]*?(?:{kinds}))"?{re.escape(separator)}', re.IGNORECASE)


def _separator(path: Path, lines: list[tuple[int, str]]) -> str:
    """The one that makes a header of the first line, or stands behind the names of most images."""
    allowed = SEPARATORS.get(path.suffix.casefold(), SEPARATORS[".txt"])
    if header := next((separator for separator in allowed if _header(lines, separator)), None):
        return header
    patterns = {separator: _after_image(separator) for separator in allowed}
    counts = Counter({s: sum(bool(p.match(line)) for _, line in lines) for s, p in patterns.items()})
    return counts.most_common(1)[0][0]


def _header(lines: list[tuple[int, str]], separator: str) -> list[str] | None:
    """The names of the columns, where the first line names two of them image and text."""
    head = [name.strip().casefold() for name in _fields(lines[0][1], separator)] if lines else []
    return head if _named_columns(head) else None


def _named_columns(there: list[str]) -> tuple[str, str] | None:
    """Of a table's columns, those of image and text."""
    name, text = (next((name for name in names if name in there), None) for names in (NAME_COLUMNS, TEXT_COLUMNS))
    return None if name is None or text is None else (name, text)


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


def _rows(path: Path, lines: list[tuple[int, str]], separator: str) -> Iterator[Row]:
    if separator in QUOTED:
        lines = _joined(lines, separator)
    head = _header(lines, separator)
    if head and len(head) > 2:
        return _wide_rows(lines[1:], separator, head)
    if not head:
        _check_width(path, lines, separator)
    return _two_columns(lines[1:] if head else lines, separator, text_first=bool(head) and head[0] in TEXT_COLUMNS)


def _joined(lines: list[tuple[int, str]], separator: str) -> list[tuple[int, str]]:
    """The lines, and in one those that a quote which stays open runs over."""
    joined: list[tuple[int, str]] = []
    for number, line in lines:
        if joined and separator not in line and joined[-1][1].count('"') % 2:
            start, before = joined.pop()
            joined.append((start, f"{before}\n{line}"))
        else:
            joined.append((number, line))
    return joined


def _check_width(path: Path, lines: list[tuple[int, str]], separator: str) -> None:
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


def _two_columns(lines: list[tuple[int, str]], separator: str, *, text_first: bool) -> Iterator[Row]:
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


def _wide_rows(lines: list[tuple[int, str]], separator: str, head: list[str]) -> Iterator[Row]:
    columns = _named_columns(head)
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


def _json_rows(path: Path, lines: list[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        entry = _object(line)
        columns = _named_columns(list(entry))
        if columns is None:
            raise DataError(
                f"{path}, line {number} is no JSON object with one of {', '.join(NAME_COLUMNS)} and one of "
                f"{', '.join(TEXT_COLUMNS)}: {line[:80]}"
            )
        name, text = (entry[column] for column in columns)
        yield Row(number, str(name), "" if text is None else text)


def _json_names(lines: list[tuple[int, str]]) -> bool:
    return bool(lines) and _named_columns(list(_object(lines[0][1]))) is not None


def _object(line: str) -> dict[str, object]:
    """A line's JSON object; an empty one where it holds none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
