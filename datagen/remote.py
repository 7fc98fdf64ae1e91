"""A data set on a remote store -> a folder here, once."""

import os
import re
import shutil
from pathlib import Path

from pyarrow import ArrowException
from pyarrow.fs import FileSystem, LocalFileSystem, copy_files

from datagen.errors import DataError
from datagen.files import sync
from datagen.shards import MANIFEST, Manifest, claimed


def fetch(uri: str, cache: Path) -> Path:
    """Folder of a data set: what `uri` names if that is a path, else a copy in `cache`, named by its digest.

    Of several processes one copies, and the others wait. Shards are checked against the manifest when the data set is
    used, as any are.

    Args:
        uri: a path, or what pyarrow opens: `s3://bucket/folder`, `gs://bucket/folder`, `file:///folder`.

    Raises:
        DataError: there is no data set, or the store does not answer.
    """
    if "://" not in uri:
        return Path(uri)
    try:
        store, source = FileSystem.from_uri(uri)
        with claimed(cache):
            return _copied(store, source, cache)
    except (OSError, ArrowException) as error:
        raise DataError(f"{uri} cannot be read: {error}") from error


def local(path: Path) -> Path:
    """The absolute path of a folder to write to.

    Raises:
        DataError: it is an address on a store, which would become a folder `s3:` here.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)):
        raise DataError(f"{path} is an address, and only folders are written to; mount the store, or name a folder")
    return Path(os.path.normpath(path.absolute()))


def _copied(store: FileSystem, source: str, cache: Path) -> Path:
    partial = cache / ".fetched.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _copy(store, f"{source}/{MANIFEST}", partial / MANIFEST)
        folder = cache / Manifest.load(partial).spec.digest()
        if not folder.exists():
            _copy(store, source, partial)
            for path in (*partial.rglob("*"), partial):
                sync(path)
            partial.replace(folder)
            sync(cache)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _copy(store: FileSystem, source: str, target: Path) -> None:
    copy_files(source, str(target), source_filesystem=store, destination_filesystem=LocalFileSystem())
