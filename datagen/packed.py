"""Images that stand in Parquet files or an LMDB, with their texts -> named items."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import lmdb
from pyarrow import ArrowException, parquet

from datagen.errors import DataError, ItemError, reason
from datagen.items import NAME_COLUMNS, TEXT_COLUMNS, Item, Source, reader, spellings

COUNT_KEY, IMAGE_KEY, LABEL_KEY = b"num-samples", b"image-%09d", b"label-%09d"
"""Keys of an LMDB as the scene-text community writes it; numbers start at 1, some at 0."""
ROWS = 256
"""Rows of a Parquet file that are read at a time."""


def read_parquet(files: list[Path], root: Path, *, labeled: bool) -> Source:
    """The rows of Parquet files: an image's bytes, alone or in the hub's record, or its path, and its text.

    Raises:
        DataError: one cannot be read, or lacks a column.
    """
    columns = [_columns(file, labeled) for file in files]
    total = sum(parquet.read_metadata(file).num_rows for file in files)
    kind = ", ".join(file.relative_to(root).as_posix() for file in files[:3])
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return Source(
        f"from Parquet ({kind}{more})",
        total,
        lambda: _parquet_items(files, root, columns),
        lambda: _parquet_labels(files, root, columns),
    )


def has_columns(file: Path) -> bool:
    """Whether a Parquet file has a column of images and one of texts."""
    try:
        return len(_columns(file, True)) == 2
    except DataError:
        return False


def read_lmdb(folder: Path) -> Source:
    """The entries of an LMDB.

    Raises:
        DataError: it cannot be read, or lacks the keys of its count or of its first image.
    """
    try:
        with _opened(folder) as environment, environment.begin() as transaction:
            numbers = _numbers(folder, transaction)
    except (lmdb.Error, ValueError) as error:
        raise DataError(f"{folder} cannot be read as LMDB ({reason(error)})") from error
    return Source(
        "from an LMDB",
        len(numbers),
        lambda: _lmdb_items(folder, numbers),
        lambda: _lmdb_labels(folder, numbers),
    )


def _columns(file: Path, labeled: bool) -> list[str]:
    """Names of a file's image column and, where it is asked for, its text column."""
    try:
        there = parquet.read_schema(file).names
    # A path that is not UTF-8 is a ValueError.
    except (OSError, ValueError, ArrowException) as error:
        raise DataError(f"{file} cannot be read as Parquet ({reason(error)})") from error
    columns: list[str] = []
    for names in (NAME_COLUMNS, TEXT_COLUMNS) if labeled else (NAME_COLUMNS,):
        found = next((name for name in names if name in there), None)
        if found is None:
            raise DataError(f"{file} has no column {' or '.join(names)}; it has {', '.join(there)}")
        columns.append(found)
    return columns


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[tuple[object, ...]]:
    with parquet.ParquetFile(path) as file:
        for part in file.iter_batches(ROWS, columns=columns):
            rows = part.to_pydict()
            yield from zip(*(rows[name] for name in columns), strict=True)


def _parquet_items(files: list[Path], root: Path, columns: list[list[str]]) -> Iterator[Item]:
    for path, wanted in zip(files, columns, strict=True):
        for number, (content, *label) in enumerate(_parquet_rows(path, wanted)):
            yield Item(
                f"{path.relative_to(root).as_posix()}:{number}", _held(content, path.parent, root), _label(*label)
            )


def _parquet_labels(files: list[Path], root: Path, columns: list[list[str]]) -> Iterator[tuple[str, object]]:
    for path, (_, text) in zip(files, columns, strict=True):
        for number, (label,) in enumerate(_parquet_rows(path, [text])):
            yield f"{path.relative_to(root).as_posix()}:{number}", _label(label)


def _held(content: object, folder: Path, root: Path) -> Callable[[], bytes]:
    # The Hugging Face hub's data sets nest the bytes, or have the path of a file instead.
    if isinstance(content, dict):
        record = cast("dict[str, object]", content)
        content = record.get("bytes") or record.get("path")
    if isinstance(content, str):
        return reader(root, *(folder / name for name in spellings(content)))
    return _given(content)


def _opened(folder: Path) -> lmdb.Environment:
    return lmdb.open(str(folder), readonly=True, lock=False, readahead=False)


def _numbers(folder: Path, transaction: lmdb.Transaction) -> range:
    """Numbers of the images, from the first one on; where the count is too small, up to the last one."""
    count = transaction.get(COUNT_KEY)
    if count is None:
        raise DataError(f"{folder} has no key {COUNT_KEY.decode()}, the number of its images; {_keys(transaction)}")
    first = next((number for number in (0, 1) if transaction.get(IMAGE_KEY % number) is not None), None)
    if first is None and int(count):
        raise DataError(
            f"{folder} has neither of the keys {(IMAGE_KEY % 0).decode()} and {(IMAGE_KEY % 1).decode()}, its first "
            f"image; {_keys(transaction)}"
        )
    first = first or 0
    stop = first + int(count)
    while transaction.get(IMAGE_KEY % stop) is not None:
        stop += 1
    return range(first, stop)


def _keys(transaction: lmdb.Transaction) -> str:
    keys = [bytes(key).decode(errors="replace") for key, _ in itertools.islice(transaction.cursor(), 3)]
    return f"its keys are {', '.join(keys)}, ..." if keys else "it is empty"


def _lmdb_items(folder: Path, numbers: range) -> Iterator[Item]:
    with _opened(folder) as environment, environment.begin() as transaction:
        for number in numbers:
            image, label = (transaction.get(key % number) for key in (IMAGE_KEY, LABEL_KEY))
            yield Item((IMAGE_KEY % number).decode(), _given(image), _label(label))


def _lmdb_labels(folder: Path, numbers: range) -> Iterator[tuple[str, object]]:
    with _opened(folder) as environment, environment.begin() as transaction:
        for number in numbers:
            yield (IMAGE_KEY % number).decode(), _label(transaction.get(LABEL_KEY % number))


def _label(given: object = None) -> object:
    """A label, empty where there is none."""
    return "" if given is None else given


def _given(data: object) -> Callable[[], bytes]:
    def read() -> bytes:
        if not isinstance(data, bytes):
            raise ItemError("it has no image")
        return data

    return read
