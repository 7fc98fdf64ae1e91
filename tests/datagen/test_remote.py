import subprocess
from pathlib import Path

import pytest
from commands import call

from datagen import dataset, remote, shards
from datagen.errors import DataError
from datagen.shards import Manifest


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    assert remote.fetch(str(tmp_path / "data"), tmp_path) == tmp_path / "data"


def test_a_remote_data_set_is_copied_once_and_whole(data_folder: Path, tmp_path: Path) -> None:
    folder = remote.fetch(data_folder.absolute().as_uri(), tmp_path / "cache")
    assert folder == tmp_path / "cache" / Manifest.load(data_folder).spec.digest()
    assert Manifest.load(folder).damaged(folder) == Manifest.load(folder).missing(folder) == []
    assert dataset.load(folder, "val").texts == dataset.load(data_folder, "val").texts
    written = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert remote.fetch(data_folder.absolute().as_uri(), tmp_path / "cache") == folder
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == written
    assert sorted((tmp_path / "cache").iterdir()) == [tmp_path / "cache" / shards.LOCK, folder]


def test_processes_that_fetch_the_same_at_once_all_get_it(data_folder: Path, tmp_path: Path) -> None:
    arguments = call("fetch.py", data_folder.absolute().as_uri(), str(tmp_path / "cache"))
    fetching = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0].strip() for process in fetching}
    assert said == {str(tmp_path / "cache" / Manifest.load(data_folder).spec.digest())}
    [folder] = map(Path, said)
    assert Manifest.load(folder).damaged(folder) == Manifest.load(folder).missing(folder) == []


@pytest.mark.parametrize("uri", ["file:///none/at/all", "nonsense://bucket/data"])
def test_a_data_set_that_is_not_there_is_named(uri: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=uri):
        remote.fetch(uri, tmp_path)
