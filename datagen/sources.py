"""Where a user's images come from: a folder, a table of labels, Parquet, or LMDB -> named items, one at a time."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import lmdb
import polars as pl

from datagen.errors import DataError, ItemError, reason

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jp2"})
SEPARATORS = {".csv": ",", ".tsv": "\t"}
NAME_COLUMNS = ("image", "file", "filename", "file_name", "path", "name")
TEXT_COLUMNS = ("text", "label", "transcription", "words", "word")
COUNT_KEY, IMAGE_KEY, LABEL_KEY = b"num-samples", b"image-%09d", b"label-%09d"
"""Of the scene-text community's LMDB; its numbers start at 1."""


class Item(NamedTuple):
    """One image, not yet read."""

    name: str
    read: Callable[[], bytes]
    """The file's bytes; raises ItemError where they cannot be had."""
    text: str | None
    """None: it has no label."""


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
    if not path.exists():
        raise DataError(f"{path} does not exist; give a folder, a CSV or TSV file, a Parquet file or an LMDB")
    try:
        items, total = _find(path, labeled)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
    if not total:
        raise DataError(f"{path} holds no image; give a folder, a CSV or TSV file, a Parquet file or an LMDB")
    items = items if labeled else (item._replace(text=None) for item in items)
    return Source(_readable(path, items), total)


def _readable(path: Path, items: Iterable[Item]) -> Iterator[Item]:
    """The items, until the source breaks."""
    try:
        yield from items
    except (OSError, pl.exceptions.PolarsError, lmdb.Error) as error:
        raise DataError(f"{path} cannot be read ({reason(error)})") from None


def _find(path: Path, labeled: bool) -> Source:
    if path.suffix == ".parquet":
        return _parquet([path])
    if path.name == "data.mdb":
        return _lmdb(path.parent)
    if path.suffix in SEPARATORS:
        return _table(path)
    if not path.is_dir():
        raise DataError(f"{path} is no folder, CSV, TSV, Parquet or LMDB file")
    if (path / "data.mdb").exists():
        return _lmdb(path)
    if shards := sorted(path.glob("*.parquet")):
        return _parquet(shards)
    tables = sorted(file for file in path.iterdir() if file.suffix in SEPARATORS)
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        raise DataError(f"{path} holds several tables ({names}); give the one with the labels instead")
    return _table(tables[0]) if tables and labeled else _folder(path)


def _folder(folder: Path) -> Source:
    files = sorted(file for file in folder.rglob("*") if file.suffix.casefold() in IMAGES)
    items = (Item(file.relative_to(folder).as_posix(), _reader(file), _text_in(file.stem)) for file in files)
    return Source(items, len(files))


def _text_in(stem: str) -> str:
    """The text in a file's name: all before the last underscore and number."""
    return re.sub(r"_\d+$", "", stem)


def _table(path: Path) -> Source:
    rows = _rows(path)
    return Source(_table_items(path.parent, rows), len(rows))


def _table_items(folder: Path, rows: list[tuple[str, str]]) -> Iterator[Item]:
    for number, (name, text) in enumerate(rows, start=1):
        yield Item(f"{name} (row {number})", _reader(folder / name), text)


def _rows(path: Path) -> list[tuple[str, str]]:
    """Image path and text of each line; a first line of known column names is a header, else these come first."""
    separator = SEPARATORS[path.suffix]
    try:
        quote = '"' if separator == "," else None
        table = pl.read_csv(path, has_header=False, infer_schema=False, separator=separator, quote_char=quote)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as a table ({reason(error)}); give image paths and texts") from None
    if table.width < 2:
        raise DataError(f"{path} has one column; give image paths and texts, separated by {separator!r}")
    head = [(value or "").casefold() for value in table.row(0)]
    name, text = (_index(head, names) for names in (NAME_COLUMNS, TEXT_COLUMNS))
    if name is None or text is None:
        return [(row[0] or "", row[1] or "") for row in table.iter_rows()]
    return [(row[name] or "", row[text] or "") for row in table[1:].iter_rows()]


def _index(head: list[str], names: tuple[str, ...]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _reader(file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return file.read_bytes()
        # A name in a table may hold what no path does.
        except (OSError, ValueError) as error:
            raise ItemError(getattr(error, "strerror", None) or reason(error)) from None

    return read


def _parquet(files: list[Path]) -> Source:
    try:
        total = pl.scan_parquet(files).select(pl.len()).collect().item()
        columns = pl.read_parquet_schema(files[0])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{files[0]} cannot be read as Parquet ({reason(error)})") from None
    image, text = (next((n for n in names if n in columns), None) for names in (NAME_COLUMNS, TEXT_COLUMNS))
    if image is None:
        raise DataError(f"{files[0]} has no column {' or '.join(NAME_COLUMNS)}; it has {', '.join(columns)}")
    return Source(_parquet_items(files, image, text), total)


def _parquet_items(files: list[Path], image: str, text: str | None) -> Iterator[Item]:
    wanted = [image] if text is None else [image, text]
    for file in files:
        for number, (content, *label) in enumerate(pl.read_parquet(file, columns=wanted).iter_rows()):
            # The Hugging Face hub's data sets nest the bytes.
            data = content.get("bytes") if isinstance(content, dict) else content
            text = str(label[0]) if label and label[0] is not None else None
            yield Item(f"{file.name}:{number}", _given(data), text)


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
            label = transaction.get(LABEL_KEY % number)
            text = None if label is None else bytes(label).decode("utf-8", "replace")
            image = transaction.get(IMAGE_KEY % number)
            yield Item((IMAGE_KEY % number).decode(), _given(image), text)


def _given(data: object) -> Callable[[], bytes]:
    def read() -> bytes:
        if not isinstance(data, bytes):
            raise ItemError("it has no image")
        return data

    return read
