"""Folders on stores such as S3, and a data set of theirs -> a folder here, once. The stores' door."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem

from datagen.errors import DataError
from datagen.files import atomic, sync
from datagen.shards import MANIFEST, Manifest, claimed

FAILURES = (OSError, ArrowException)
"""What is raised where a store does not answer."""
GIVES_UP = "?retry_limit_seconds=30"
"""Else Google's client tries again for a quarter of an hour."""
ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?=.)")


def address(path: str | Path) -> str | None:
    """What a path means on a store, such as `s3://bucket/folder`; None if it is a path here."""
    scheme = ADDRESS.match(str(path))
    if scheme is None:
        return None
    # A Path has lost one of the slashes.
    slashes = "///" if scheme[1] == "file" else "//"
    return f"{scheme[1]}:{slashes}{str(path)[scheme.end() :]}"


@dataclass(frozen=True)
class Remote:
    """A folder on a store. Each method raises one of FAILURES where the store does not answer."""

    store: FileSystem
    root: str

    @classmethod
    def of(cls, address: str) -> "Remote":
        """The folder at an address that pyarrow opens: `s3://bucket/folder`, `gs://bucket/folder`, `file:///folder`.

        Raises:
            DataError: it opens none, or the store does not answer.
        """
        try:
            store, root = FileSystem.from_uri(address + GIVES_UP if address.startswith("gs:") else address)
        except FAILURES as error:
            raise DataError(f"{address} cannot be opened: {error}") from error
        return cls(store, root.rstrip("/"))

    def names(self) -> list[str]:
        """Of all files, by their paths in the folder; none where there is no folder."""
        found = self.store.get_file_info(FileSelector(self.root, recursive=True, allow_not_found=True))
        return sorted(info.path.removeprefix(f"{self.root}/") for info in found if info.is_file)

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        [info] = self.store.get_file_info([f"{self.root}/{name}"])
        return info.is_file

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with self.store.open_input_stream(f"{self.root}/{name}") as file:
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Makes or replaces a file, whole or not at all."""
        path = Path(self.root, name)
        if isinstance(self.store, LocalFileSystem):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as partial:
                partial.write_bytes(content)
        else:
            # Object stores show what is whole alone, and know no folders.
            with self.store.open_output_stream(str(path)) as file:
                file.write(content)

    def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""
        if self.has(name):
            self.store.delete_file(f"{self.root}/{name}")


def fetch(uri: str, cache: Path) -> Path:
    """Folder of a data set: what `uri` names if that is a path, else a copy in `cache`, named by its digest.

    Of several processes one copies, and the others wait. Shards are checked against the manifest when the data set is
    used, as any are.

    Args:
        uri: a path, or an address as `Remote.of` takes.

    Raises:
        DataError: there is no data set, or the store does not answer.
    """
    if address(uri) is None:
        return Path(uri)
    try:
        with claimed(cache):
            return _copied(Remote.of(uri), cache)
    except FAILURES as error:
        raise DataError(f"{uri} cannot be read: {error}") from error


def here(path: Path, among: str = "data") -> Path:
    """Where a folder is made: the path itself, or, of an address, a folder of the name `among` others."""
    return path if address(path) is None else Path(among, path.name)


def check(path: Path) -> None:
    """Nothing, if the path is no address or a store has it: better before the work than after it.

    Raises:
        DataError: no store has the address.
    """
    if (uri := address(path)) is not None:
        Remote.of(uri)


def publish(folder: Path, path: Path) -> None:
    """Copies a finished data set to a store, the manifest last, if the path is an address.

    Raises:
        DataError: the store does not take it.
    """
    uri = address(path)
    if uri is None:
        return
    target = Remote.of(uri)
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.name == MANIFEST)
    try:
        for path in files:
            if not path.name.startswith("."):
                target.write(path.name, path.read_bytes())
    except FAILURES as error:
        raise DataError(f"{uri} cannot be written ({error}); {folder} holds the data set") from error


def _copied(source: Remote, cache: Path) -> Path:
    partial = cache / ".fetched.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        (partial / MANIFEST).write_bytes(source.read(MANIFEST))
        folder = cache / Manifest.load(partial).spec.digest()
        if not folder.exists():
            for name in source.names():
                (partial / name).write_bytes(source.read(name))
            for path in (*partial.iterdir(), partial):
                sync(path)
            partial.replace(folder)
            sync(cache)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
