"""Parquet shards and their manifest: written whole or not at all, verified by checksum."""

import hashlib
import json
import logging
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl
from filelock import Timeout
from pydantic import TypeAdapter

from datagen.errors import DataError, ShardError
from datagen.files import atomic, file_lock
from datagen.sample import Sample
from datagen.spec import SPLITS, Spec, Split, count

logger = logging.getLogger(__name__)

SCHEMA = pl.Schema(
    {
        "image": pl.Binary,
        "text": pl.String,
        "index": pl.Int64,
        "font": pl.String,
        "background": pl.String,
        "ink": pl.Binary,
    }
)
DESCRIPTION = ("text", "index", "font", "background")
"""Columns of a row beside the image."""
MANIFEST = "manifest.json"
LOCK = ".lock"
"""File that who fills a folder holds."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A run of consecutive samples of one split, kept in one file."""

    split: Split
    number: int
    start: int
    """Index of the first sample."""
    stop: int
    """Index after the last sample."""

    @property
    def name(self) -> str:
        """File name within the data set's folder."""
        return f"{self.split}-{self.number:05d}.parquet"

    @property
    def images(self) -> int:
        """Samples it holds."""
        return self.stop - self.start


def shards(spec: Spec) -> list[Shard]:
    """Every shard of the data set, in order."""
    return [shard for split in SPLITS for shard in _shards(split, count(spec, split), spec.shard)]


def _shards(split: Split, images: int, size: int) -> Iterator[Shard]:
    for number, start in enumerate(range(0, images, size)):
        yield Shard(split, number, start, min(start + size, images))


def write(path: Path, samples: Iterable[Sample]) -> str:
    """Writes one shard atomically and returns its sha256.

    Raises:
        DataError: it cannot be written; nothing is left of it.
    """
    rows = pl.DataFrame([asdict(sample) for sample in samples], schema=SCHEMA)
    try:
        with atomic(path) as partial:
            # The images are compressed already.
            rows.write_parquet(partial, compression="uncompressed")
            return sha256(partial)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be written: {error}") from error


@contextmanager
def claimed(folder: Path) -> Generator[None]:
    """A folder to oneself, made if it is missing; another process that fills it is waited for.

    Raises:
        DataError: it cannot be written.
    """
    try:
        lock = file_lock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("%s: another process fills it, which is waited for", folder)
            lock.acquire()
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds: its specification, and a checksum for each shard that is finished."""

    spec: Spec
    sha256: dict[str, str] = field(default_factory=dict[str, str])
    """By file name."""
    rejected: dict[str, str] = field(default_factory=dict[str, str])
    """Why an image of the user's could not be used, by its name, or a line of the user's texts."""

    def missing(self, folder: Path) -> list[Shard]:
        """Shards that are not finished."""
        return [s for s in shards(self.spec) if s.name not in self.sha256 or not (folder / s.name).exists()]

    def damaged(self, folder: Path) -> list[Shard]:
        """Finished shards that differ from their checksum."""
        there = [s for s in shards(self.spec) if s.name in self.sha256 and (folder / s.name).exists()]
        return [shard for shard in there if sha256(folder / shard.name) != self.sha256[shard.name]]

    def save(self, folder: Path) -> None:
        """Replaces the folder's manifest atomically.

        Raises:
            DataError: it cannot be written.
        """
        content = {"digest": self.spec.digest(), "counts": {split: count(self.spec, split) for split in SPLITS}}
        content |= asdict(self)
        try:
            with atomic(folder / MANIFEST) as partial:
                partial.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
        except OSError as error:
            raise DataError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error

    @classmethod
    def load(cls, folder: Path, *, to_look_at: bool = False) -> "Manifest":
        """Reads a folder's manifest.

        Args:
            to_look_at: the images are not trained on, so that they may be of another version of the renderer.

        Raises:
            ShardError: there is none, it cannot be read, or another version of the renderer made it.
        """
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text())
            digest = content.pop("digest")
            manifest = TypeAdapter(cls).validate_python(content)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ShardError(
                f"{folder} holds no data set ({MANIFEST} is missing); make one with python -m datagen"
            ) from error
        except OSError as error:
            raise ShardError(f"{path} cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{path} cannot be read ({error}); delete it and run the same command again") from error
        if manifest.spec.digest() != digest and not to_look_at:
            raise ShardError(f"{path} was written by another version of the renderer; use another folder")
        return manifest


def read(
    folder: Path, split: Split, columns: Sequence[str] = SCHEMA.names(), indexes: Collection[int] | None = None
) -> pl.DataFrame:
    """The rows of one split of a finished data set, in order; of these columns, and of these indexes if any are given.

    Whatever version of the renderer drew it: who trains on it has asked `generate.ensure` for the one of today.

    Raises:
        ShardError: a shard is missing or cannot be read.
    """
    names = [name for name in sorted(Manifest.load(folder, to_look_at=True).sha256) if name.startswith(f"{split}-")]
    try:
        return pl.concat([_rows(folder / name, columns, indexes) for name in names])
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ShardError(
            f"{folder}: a {split} shard cannot be read ({error}); run python -m datagen on it again"
        ) from error


def _rows(path: Path, columns: Sequence[str], indexes: Collection[int] | None) -> pl.DataFrame:
    # A folder's name may hold brackets. Shards from before there was ink lack the column.
    rows = pl.scan_parquet(path, schema=SCHEMA, missing_columns="insert", glob=False)
    return (rows if indexes is None else rows.filter(pl.col("index").is_in(list(indexes)))).select(columns).collect()


def digest(folder: Path) -> str | None:
    """A data set's, as whoever drew it has written it down; None where no manifest can be read."""
    try:
        return json.loads((folder / MANIFEST).read_text())["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
