import os
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from commands import call

from datagen import files, shards
from datagen.errors import DataError, ShardError
from datagen.render import render
from datagen.sample import Sample
from datagen.shards import MANIFEST, Manifest
from datagen.spec import DatasetSpec


def test_shards_cover_each_split_once(spec: DatasetSpec) -> None:
    names = [shard.name for shard in shards.shards(spec)]
    assert names == [
        *(f"train-{number:05d}.parquet" for number in range(3)),
        "val-00000.parquet",
        *(f"test-{number:05d}.parquet" for number in range(2)),
    ]
    assert sum(shard.images for shard in shards.shards(spec)) == spec.train + spec.val + spec.test


def test_a_shard_keeps_the_contract(data_folder: Path) -> None:
    frame = pl.read_parquet(data_folder / "test-00001.parquet")
    assert frame.columns == ["image", "text", "index", "font", "background", "ink"]
    assert frame["index"].to_list() == [10, 11]


def test_equal_samples_are_equal_bytes(spec: DatasetSpec, tmp_path: Path) -> None:
    samples = [render(spec, "train", index) for index in range(2)]
    assert shards.write(tmp_path / "a", samples) == shards.write(tmp_path / "b", samples)


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with files.atomic(tmp_path / "file") as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_survives_the_disk(data_folder: Path, spec: DatasetSpec) -> None:
    manifest = Manifest.load(data_folder)
    assert manifest.spec == spec
    assert manifest.missing(data_folder) == manifest.damaged(data_folder) == []


def test_a_flipped_bit_is_found(data_folder: Path, tmp_path: Path) -> None:
    data = bytearray((data_folder / "val-00000.parquet").read_bytes())
    data[100] ^= 1
    (tmp_path / "val-00000.parquet").write_bytes(data)
    assert [shard.name for shard in Manifest.load(data_folder).damaged(tmp_path)] == ["val-00000.parquet"]


def test_a_full_disk_leaves_no_half_shard(tmp_path: Path) -> None:
    """A limit on a file's size stands for it."""
    path = tmp_path / "train-00000.parquet"
    done = subprocess.run(call("full_disk.py", str(path)), capture_output=True, text=True, check=False)
    assert f"{path} cannot be written" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_half_written_files_of_a_killed_process_are_swept_away(tmp_path: Path) -> None:
    old, new = tmp_path / ".train-00000.parquet.1.partial", tmp_path / ".train-00001.parquet.2.partial"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    files.forget_partials(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


@pytest.mark.parametrize("content", ["{", "{}", '{"spec": {"nonsense": 1}, "sha256": {}}'])
def test_a_broken_manifest_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(ShardError, match=MANIFEST):
        Manifest.load(tmp_path)


def test_a_folder_without_a_manifest_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="holds no data set"):
        Manifest.load(tmp_path)


def test_a_manifest_that_cannot_be_written_says_so(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, why in ((tmp_path / "file" / "data", "Not a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(DataError, match=rf"^{folder} cannot be written \({why}.*\); choose another folder$"):
            Manifest(spec).save(folder)


def test_a_path_below_a_file_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ShardError, match="holds no data set"):
        Manifest.load(tmp_path / "file")


def test_some_rows_of_a_split_are_read_in_order(data_folder: Path) -> None:
    some = shards.read(data_folder, "test", ("text",), [11, 0, 9])
    assert some["text"].to_list() == shards.read(data_folder, "test")["text"].gather([0, 9, 11]).to_list()


def test_a_folders_name_may_hold_brackets(data_folder: Path, spec: DatasetSpec, tmp_path: Path) -> None:
    folder = tmp_path / "[x]"
    folder.mkdir()
    manifest = Manifest(spec)
    for shard in shards.shards(spec):
        rows = shards.read(data_folder, shard.split, indexes=range(shard.start, shard.stop))
        samples = [Sample(**row) for row in rows.iter_rows(named=True)]
        manifest.sha256[shard.name] = shards.write(folder / shard.name, samples)
    manifest.save(folder)
    assert Manifest.load(folder) == Manifest.load(data_folder)
    assert shards.read(folder, "test").equals(shards.read(data_folder, "test"))


def test_a_process_that_fills_a_folder_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arguments = call("claim_shards.py", str(tmp_path / "data"))
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        threading.Timer(0.3, other.stdin.close).start()
        with shards.claimed(tmp_path / "data"):
            assert other.wait(timeout=10) == 0
    assert "another process fills it" in caplog.text


def test_a_manifest_of_another_renderer_is_refused(spec: DatasetSpec, tmp_path: Path, monkeypatch) -> None:
    Manifest(replace(spec)).save(tmp_path)
    monkeypatch.setattr("datagen.spec.RENDERER", -1)
    with pytest.raises(ShardError, match="another version"):
        Manifest.load(tmp_path)


def test_shards_from_before_there_was_ink_are_read_without(data_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    shutil.copytree(data_folder, folder)
    for path in folder.glob("*.parquet"):
        pl.read_parquet(path).drop("ink").write_parquet(path)
    assert shards.read(folder, "test")["ink"].null_count() == len(shards.read(data_folder, "test"))
    assert shards.read(folder, "test").drop("ink").equals(shards.read(data_folder, "test").drop("ink"))
