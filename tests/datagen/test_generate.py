import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from datagen import generate
from datagen.errors import DataError, ShardError
from datagen.shards import Manifest
from datagen.spec import DatasetSpec

pytestmark = pytest.mark.usefixtures("local_ray")


@pytest.mark.slow
def test_ray_renders_the_same_bytes_as_one_process(spec: DatasetSpec, data_folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    manifest = generate.ensure(spec, tmp_path / "new", lambda done, total: seen.append((done, total)))
    assert manifest.sha256 == Manifest.load(data_folder).sha256
    assert seen[0] == (0, 44)
    assert seen[-1] == (44, 44)


def test_a_finished_data_set_is_not_rendered_again(spec: DatasetSpec, data_folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in data_folder.iterdir()}
    generate.ensure(spec, data_folder)
    assert {path.name: path.stat().st_mtime_ns for path in data_folder.iterdir()} == before


@pytest.mark.slow
def test_only_missing_shards_are_rendered(spec: DatasetSpec, tmp_path: Path) -> None:
    manifest = generate.ensure(spec, tmp_path)
    digest = manifest.sha256["test-00000.parquet"]
    (tmp_path / "test-00000.parquet").unlink()
    kept = (tmp_path / "train-00000.parquet").stat().st_mtime_ns
    assert generate.ensure(spec, tmp_path).sha256["test-00000.parquet"] == digest
    assert (tmp_path / "train-00000.parquet").stat().st_mtime_ns == kept


def test_a_folder_of_another_data_set_is_left_alone(spec: DatasetSpec, data_folder: Path) -> None:
    with pytest.raises(ShardError, match="another data set"):
        generate.ensure(replace(spec, seed=9), data_folder)


def test_a_damaged_shard_is_named_and_nothing_else_is_touched(
    spec: DatasetSpec, data_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(data_folder, tmp_path / "data")
    shard = tmp_path / "data" / "train-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-1])
    before = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    with pytest.raises(ShardError, match=r"train-00001\.parquet: sha256 differs"):
        generate.ensure(spec, tmp_path / "data")
    assert {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()} == before


def test_an_unwritable_folder_is_reported(spec: DatasetSpec, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        generate.ensure(spec, tmp_path / "file" / "data")


def test_a_worker_error_reaches_the_user_as_ours(spec: DatasetSpec, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="contrast"):
        generate.ensure(replace(spec, contrast=256.0), tmp_path)
