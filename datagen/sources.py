"""Where a user's images come from: which kind of source a path is, and which of a folder's files it consists of."""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

import lmdb
from pyarrow import ArrowException

from datagen import names, packed, tables
from datagen.errors import DataError, reason
from datagen.fitting import endings
from datagen.items import Source
from datagen.shards import LOCK, MANIFEST

GIVEN = "give a folder, a file of labels (CSV, TSV, TXT, JSONL), a Parquet file or an LMDB"
SHARDS = "*-[0-9][0-9][0-9][0-9][0-9].parquet"
"""Pattern of a data set's shards."""
NAMES, SIDECARS, PARQUET = "names", "sidecars", "parquet"
"""Where texts can be, beside files of labels and LMDBs."""
SHOWN = 5
"""Files of a kind that a message names."""

T = TypeVar("T")


def find(path: Path, *, labeled: bool = True, labels: tuple[str, ...] = (), without: Path | None = None) -> Source:
    """The images of a source, whichever kind it is; without labels where `labeled` is False.

    A folder holds a Parquet or LMDB data set, a file of image paths and texts, a text file beside each image, or images
    whose names hold their texts; any of it further down. Hidden files do not count, nor do the data sets in it.

    Args:
        labels: files of labels in a folder, or from here, that are meant; or `names`, `sidecars` or `parquet`.
        without: a folder that is left out.

    Raises:
        DataError: it does not exist, holds no images that can be told, or texts in several places; while they are
            taken, it cannot be read.
    """
    try:
        if not path.exists():
            raise DataError(f"{path} does not exist; {GIVEN}")
        source = _file(path, labeled, labels) if path.is_file() else _folder(path, labeled, labels, without)
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be read ({error.strerror})") from error
    if not source.total:
        raise DataError(f"{path} holds no image; {GIVEN}")
    items = source.items if labeled else lambda: (item._replace(label=None) for item in source.items())
    return source._replace(
        items=lambda: _readable(path, items), labels=lambda: _readable(path, source.labels) if labeled else ()
    )


def _readable(path: Path, items: Callable[[], Iterable[T]]) -> Iterator[T]:
    """The items, until the source breaks."""
    try:
        yield from items()
    # Arrow tells a value that Python cannot have, as text that is not UTF-8, by Python's own errors.
    except (OSError, ValueError, ArrowException, lmdb.Error) as error:
        raise DataError(f"{path} cannot be read ({reason(error)})") from error


def _file(path: Path, labeled: bool, labels: tuple[str, ...]) -> Source:
    if labels:
        raise DataError(f"{path} is a file, in which --labels {' '.join(labels)} chooses nothing; leave it out")
    if _ending(path) == ".parquet":
        return packed.read_parquet([path], path.parent, labeled=labeled)
    if path.name == "data.mdb":
        return packed.read_lmdb(path.parent)
    if _ending(path) in tables.SUFFIXES:
        return tables.read(path, path.parent)
    raise DataError(f"{path} is no folder and no file of labels, Parquet or LMDB; {GIVEN}")


def _folder(path: Path, labeled: bool, labels: tuple[str, ...], without: Path | None) -> Source:
    files = list(_files(path, without))
    images = [file for file in files if _ending(file) in endings()]
    found = _packed(path, files, labeled) | (_written(path, files, images) if labeled else {})
    if labels:
        return _joined([_chosen(path, found, images, label) for label in labels])
    if len(found) > 1:
        raise DataError(
            f"{path} holds texts in several places; name the one that is meant with --labels, or more of them: "
            f"{_some(found)}, or {NAMES}, those of the images"
        )
    if found:
        return next(iter(found.values()))()
    if not images:
        raise DataError(f"{path} holds no image that can be read{_others(files)}; {GIVEN}")
    if not labeled:
        return names.unlabeled(path, images)
    passed = [file.relative_to(path).as_posix() for file in files if _ending(file) in tables.SUFFIXES]
    source = names.read(path, images)
    return source._replace(kind=f"{source.kind} (no labels: {_some(passed)})") if passed else source


def _files(root: Path, without: Path | None) -> Iterator[Path]:
    """The files of a folder and of those in it, by name, less hidden ones and what an import or rendering wrote."""
    for folder, inner, found in os.walk(root, onerror=_raise):
        here = Path(folder)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and not _ours(here / name, without))
        yield from (here / name for name in sorted(found) if not name.startswith("."))


def _raise(error: OSError) -> NoReturn:
    raise error


def _ours(folder: Path, without: Path | None) -> bool:
    if without is not None and os.path.realpath(folder) == os.path.realpath(without):
        return True
    return any((folder / name).exists() for name in (MANIFEST, LOCK)) and any(folder.glob(SHARDS))


def _ending(file: Path) -> str:
    return file.suffix.casefold()


def _packed(root: Path, files: list[Path], labeled: bool) -> dict[str, Callable[[], Source]]:
    """LMDBs and Parquet files, by what they are called in --labels."""
    databases = [file.parent for file in files if file.name == "data.mdb"]
    found = {folder.relative_to(root).as_posix(): partial(packed.read_lmdb, folder) for folder in databases}
    shards = [file for file in files if _ending(file) == ".parquet"]
    # Further down there may be others, as a sweep's points.
    if shards := [f for f in shards if f.parent == root] or [f for f in shards if packed.has_columns(f)]:
        found[PARQUET] = partial(packed.read_parquet, shards, root, labeled=labeled)
    return found


def _written(root: Path, files: list[Path], images: list[Path]) -> dict[str, Callable[[], Source]]:
    """Files of labels and those beside images, by what they are called in --labels."""
    lists = [file for file in files if _ending(file) in tables.SUFFIXES]
    beside = names.sidecars(images, frozenset(lists))
    texts = frozenset(beside.values())
    found = {
        file.relative_to(root).as_posix(): partial(_table, file, root, len(images))
        for file in lists
        if file not in texts and tables.holds_labels(file)
    }
    if any(file.name.endswith(names.SIDECARS[0]) for file in texts) or 2 * len(texts) > len(images):
        found[SIDECARS] = partial(names.read_sidecars, root, images, beside)
    return found


def _chosen(root: Path, found: dict[str, Callable[[], Source]], images: list[Path], label: str) -> Source:
    """What --labels names."""
    if label in found:
        return found[label]()
    if label == NAMES and images:
        return names.read(root, images)
    file = next((file for file in (root / label, Path(label).absolute()) if file.is_file()), None)
    if file is None or _ending(file) not in tables.SUFFIXES:
        raise DataError(f"--labels {label} is no file of labels in {root}; there is {_some([*found, NAMES])}")
    return _table(file, root, len(images))


def _table(file: Path, root: Path, images: int) -> Source:
    """The images that a file of labels names, with a word on those of the folder that it does not."""
    source = tables.read(file, root)
    named = len({name for name, _ in source.labels()})
    return source if named >= images else source._replace(kind=f"{source.kind}, of {images} that are there")


def _joined(sources: list[Source]) -> Source:
    return Source(
        "; ".join(source.kind for source in sources),
        sum(source.total for source in sources),
        lambda: itertools.chain.from_iterable(source.items() for source in sources),
        lambda: itertools.chain.from_iterable(source.labels() for source in sources),
    )


def _some(values: Collection[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(itertools.islice(values, SHOWN)) + more


def _others(files: list[Path]) -> str:
    """What a folder without an image holds instead."""
    counts = Counter(_ending(file) for file in files if file.suffix)
    said = ", ".join(f"{number} {ending}" for ending, number in counts.most_common(SHOWN))
    return f" (but {said})" if said else ""
