import io
import json
import shutil
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from datagen import dataset, shards
from datagen.dataset import TextImages
from datagen.errors import DataError, ShardError


def test_a_split_is_decoded_whole(test_images: TextImages) -> None:
    assert test_images.images.shape == (12, 64, 256, 3)
    assert len(test_images.texts) == 12


def test_pixels_are_those_of_the_shards(data_folder: Path, test_images: TextImages) -> None:
    stored = shards.read(data_folder, "test")["image"]
    for image, png in zip(test_images.images, stored, strict=True):
        assert np.array_equal(image, np.asarray(Image.open(io.BytesIO(png)).convert("RGB")))


def test_clean_renderings_are_black_where_the_ink_is(data_folder: Path) -> None:
    data = dataset.load(data_folder, "test")
    assert data.ink is not None
    batch = next(dataset.batches(data, 12, seed=0))
    assert batch.clean is not None
    assert batch.clean.shape == (12, 1, 64, 256)
    order = [data.texts.index(text) for text in batch.texts]
    stored = torch.from_numpy(data.ink[order])
    assert torch.allclose(batch.clean[:, 0], 1 - stored / 255)
    assert all(0 < image.mean() < 1 for image in batch.clean)


def test_without_ink_of_all_images_there_are_no_clean_renderings(data_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(data_folder, tmp_path / "data")
    for file in (tmp_path / "data").glob("test-*.parquet"):
        pl.read_parquet(file).drop("ink").write_parquet(file)
        manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
        manifest["sha256"][file.name] = shards.sha256(file)
        (tmp_path / "data" / "manifest.json").write_text(json.dumps(manifest))
    assert dataset.load(tmp_path / "data", "test").ink is None


def test_batches_resume_in_the_middle_of_an_epoch(test_images: TextImages) -> None:
    whole = list(islice(dataset.batches(test_images, 5, seed=1), 7))
    rest = list(islice(dataset.batches(test_images, 5, seed=1, start=3), 4))
    assert [batch.texts for batch in rest] == [batch.texts for batch in whole[3:]]


def test_an_epoch_shows_no_image_twice_and_the_next_is_shuffled_anew(test_images: TextImages) -> None:
    first, second, third = (batch.texts for batch in islice(dataset.batches(test_images, 6, seed=0), 3))
    assert len({*first, *second}) == 12
    assert third != first


def test_batches_among_some_images_show_no_other(test_images: TextImages) -> None:
    among = np.array([1, 4, 5, 9])
    shown = [text for batch in islice(dataset.batches(test_images, 2, 0, 0, among), 4) for text in batch.texts]
    assert sorted(shown) == sorted(2 * [test_images.texts[index] for index in among])


def test_a_batch_larger_than_the_split_is_the_whole_split(test_images: TextImages) -> None:
    assert len(next(dataset.batches(test_images, 64, seed=0)).texts) == 12


def test_pixels_range_from_0_to_1_in_channels_last_memory(test_images: TextImages) -> None:
    images = next(dataset.batches(test_images, 4, seed=0)).images
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert 0.5 < images.max() <= 1


def test_a_missing_shard_is_reported(data_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((data_folder / "manifest.json").read_bytes())
    with pytest.raises(ShardError, match="a test shard cannot be read"):
        dataset.load(tmp_path, "test")


def test_pixels_that_memory_does_not_hold_are_refused(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 24 * 64 * 256 * 4
    monkeypatch.setattr("datagen.dataset.psutil.virtual_memory", lambda: SimpleNamespace(available=needed))
    assert len(dataset.load(data_folder, "train").texts) == 24
    monkeypatch.setattr("datagen.dataset.psutil.virtual_memory", lambda: SimpleNamespace(available=needed - 1))
    with pytest.raises(DataError, match=rf"^{data_folder}: 24 train images take 0\.0 GiB of memory, .* of fewer$"):
        dataset.load(data_folder, "train")
    assert len(dataset.load(data_folder, "test").texts) == 12
