"""Where a user's images come from: a folder, a table of labels, Parquet, or LMDB -> named items, one at a time."""

import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import lmdb
import polars as pl
from pyarrow import ArrowException, parquet

from datagen.errors import DataError, ItemError, reason

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jp2"})
SEPARATORS = {".csv": ",", ".tsv": "\t"}
QUOTES = {",": '"', "\t": None}
"""What a text may stand in, by the separator."""
NAME_COLUMNS = ("image", "file", "filename", "file_name", "path", "name")
TEXT_COLUMNS = ("text", "label", "transcription", "words", "word")
COUNT_KEY, IMAGE_KEY, LABEL_KEY = b"num-samples", b"image-%09d", b"label-%09d"
"""Of the scene-text community's LMDB; its numbers start at 1."""
ROWS = 256
"""Of Parquet that are read at a time."""


class Item(NamedTuple):
    """One image, not yet read."""

    name: str
    read: Callable[[], bytes]
    """The file's bytes; raises ItemError where they cannot be had."""
    label: object
    """Its text, as the source has it; None: nobody asks for it."""


class Source(NamedTuple):
    """What was found."""

    items: Iterable[Item]
    total: int


def find(path: Path, *, labeled: bool = True) -> Source:
    """The images of a source, whichever kind it is; without labels where `labeled` is False.

    A folder holds a Parquet or LMDB data set, one CSV or TSV file of image paths and texts, or images named
    TEXT_NUMBER.EXTENSION, as TextRecognitionDataGenerator names them.

    Raises:
        DataError: it does not exist, or holds no images that can be told; while they are taken, it cannot be read.
    """
    try:
        if not path.exists():
            raise DataError(f"{path} does not exist; give a folder, a CSV or TSV file, a Parquet file or an LMDB")
        items, total = (_file if path.is_file() else _folder)(path, labeled)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
    if not total:
        raise DataError(f"{path} holds no image; give a folder, a CSV or TSV file, a Parquet file or an LMDB")
    items = items if labeled else (item._replace(label=None) for item in items)
    return Source(_readable(path, items), total)


def _readable(path: Path, items: Iterable[Item]) -> Iterator[Item]:
    """The items, until the source breaks."""
    try:
        yield from items
    # Arrow tells a value that Python cannot have, as text that is not UTF-8, by Python's own errors.
    except (OSError, ValueError, ArrowException, lmdb.Error) as error:
        raise DataError(f"{path} cannot be read ({reason(error)})") from None


def _file(path: Path, labeled: bool) -> Source:
    if _ending(path) == ".parquet":
        return _parquet([path], labeled)
    if path.name == "data.mdb":
        return _lmdb(path.parent)
    if _ending(path) in SEPARATORS:
        return _table(path)
    raise DataError(f"{path} is no folder, CSV, TSV, Parquet or LMDB file")


def _folder(path: Path, labeled: bool) -> Source:
    if (path / "data.mdb").exists():
        return _lmdb(path)
    files = sorted(path.iterdir())
    if tables := [file for file in files if _ending(file) == ".parquet"]:
        return _parquet(tables, labeled)
    tables = [file for file in files if _ending(file) in SEPARATORS] if labeled else []
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        raise DataError(f"{path} holds several tables ({names}); give the one with the labels instead")
    return _table(*tables) if tables else _images(path)


def _ending(file: Path) -> str:
    return file.suffix.casefold()


def _images(folder: Path) -> Source:
    files = sorted(file for file in folder.rglob("*") if _ending(file) in IMAGES)
    items = (Item(file.relative_to(folder).as_posix(), _reader(folder, file), _text_in(file.stem)) for file in files)
    return Source(items, len(files))


def _text_in(stem: str) -> str:
    """The text in a file's name: all before the last underscore and number."""
    return re.sub(r"_\d+$", "", stem)


def _table(path: Path) -> Source:
    rows = _rows(path)
    return Source(_table_items(path.parent, rows), len(rows))


def _table_items(folder: Path, rows: list[tuple[str, str]]) -> Iterator[Item]:
    for number, (name, text) in enumerate(rows, start=1):
        yield Item(f"{name} (row {number})", _reader(folder, folder / name), text)


def _rows(path: Path) -> list[tuple[str, str]]:
    """Image path and text of each line; a first line of known column names is a header, else these come first."""
    separator = SEPARATORS[_ending(path)]
    try:
        # A path may hold brackets, or what is not UTF-8.
        table = pl.read_csv(
            path.read_bytes(), has_header=False, infer_schema=False, separator=separator, quote_char=QUOTES[separator]
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as a table ({reason(error)}); give image paths and texts") from None
    if table.width < 2:
        raise DataError(f"{path} has one column; give image paths and texts, separated by {separator!r}")
    head = [(value or "").casefold() for value in table.row(0)]
    name, text = (_index(head, names) for names in (NAME_COLUMNS, TEXT_COLUMNS))
    if name is None or text is None:
        if table.width > 2:
            quoted = f", or quote texts that hold a {separator!r}" if QUOTES[separator] else ""
            raise DataError(
                f"{path} has {table.width} columns, and its first line does not name two of them image and text; "
                f"do so{quoted}"
            )
        return [(row[0] or "", row[1] or "") for row in table.iter_rows()]
    return [(row[name] or "", row[text] or "") for row in table[1:].iter_rows()]


def _index(head: list[str], names: tuple[str, ...]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _reader(folder: Path, file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            # Path.resolve raises RuntimeError where links go in a circle.
            if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
                raise ItemError("its path leaves the folder; import that one, or copy the images into it")
            return file.read_bytes()
        # A name in a table may hold what no path does.
        except (OSError, ValueError) as error:
            raise ItemError(getattr(error, "strerror", None) or reason(error)) from None

    return read


def _parquet(files: list[Path], labeled: bool) -> Source:
    columns = [_columns(file, labeled) for file in files]
    total = sum(parquet.read_metadata(file).num_rows for file in files)
    return Source(_parquet_items(files, columns), total)


def _columns(file: Path, labeled: bool) -> list[str]:
    """Names of a file's image column and, where it is asked for, its text column."""
    try:
        there = parquet.read_schema(file).names
    # A path that is not UTF-8 is a ValueError.
    except (OSError, ValueError, ArrowException) as error:
        raise DataError(f"{file} cannot be read as Parquet ({reason(error)})") from None
    columns = []
    for names in (NAME_COLUMNS, TEXT_COLUMNS) if labeled else (NAME_COLUMNS,):
        found = next((name for name in names if name in there), None)
        if found is None:
            raise DataError(f"{file} has no column {' or '.join(names)}; it has {', '.join(there)}")
        columns.append(found)
    return columns


def _parquet_items(files: list[Path], columns: list[list[str]]) -> Iterator[Item]:
    for path, wanted in zip(files, columns, strict=True):
        with parquet.ParquetFile(path) as file:
            parts = (part.to_pydict() for part in file.iter_batches(ROWS, columns=wanted))
            rows = itertools.chain.from_iterable(zip(*(part[name] for name in wanted), strict=True) for part in parts)
            for number, (content, *label) in enumerate(rows):
                # The Hugging Face hub's data sets nest the bytes.
                data = content.get("bytes") if isinstance(content, dict) else content
                yield Item(f"{path.name}:{number}", _given(data), _label(*label))


def _lmdb(folder: Path) -> Source:
    try:
        environment = lmdb.open(str(folder), readonly=True, lock=False, readahead=False)
        with environment.begin() as transaction:
            total = int(transaction.get(COUNT_KEY, b"0"))
    except (lmdb.Error, ValueError) as error:
        raise DataError(f"{folder} cannot be read as LMDB ({reason(error)})") from None
    return Source(_lmdb_items(environment, total), total)


def _lmdb_items(environment: lmdb.Environment, total: int) -> Iterator[Item]:
    with environment, environment.begin() as transaction:
        for number in range(1, total + 1):
            image, label = (transaction.get(key % number) for key in (IMAGE_KEY, LABEL_KEY))
            yield Item((IMAGE_KEY % number).decode(), _given(image), _label(label))


def _label(given: object = None) -> object:
    """A label, empty where there is none."""
    return "" if given is None else given


def _given(data: object) -> Callable[[], bytes]:
    def read() -> bytes:
        if not isinstance(data, bytes):
            raise ItemError("it has no image")
        return data

    return read
