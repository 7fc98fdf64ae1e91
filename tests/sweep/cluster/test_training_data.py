"""Which images teach, and with which texts."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reader

from datagen import shards
from datagen.sample import Sample, png
from datagen.shards import Manifest
from datagen.spec import DatasetSpec, Split
from models.recognizers import ensemble
from sweep import presets
from sweep.cluster import training_data
from sweep.presets import smoke
from sweep.trials.legibility import Reading


def test_readings_of_one_recognizer_are_taught_as_far_as_all_know_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reader.__file__, tmp_path / "teaching_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    config = replace(smoke(), recognizers=ensemble.parse(("english_g2", "teaching_reader:load")))
    found = [Reading("a-b!", 1.0), Reading("other", 0.2)]
    assert training_data.labels(["", "kept"], found, config) == ["ab", "kept"]


def data_set(folder: Path, texts: dict[Split, list[str]]) -> DatasetSpec:
    """Grey images, each with its text."""
    spec = DatasetSpec(train=len(texts["train"]), val=len(texts["val"]), test=len(texts["test"]))
    manifest = Manifest(spec)
    grey = png(np.full((64, 256, 3), 128, np.uint8))
    for shard in shards.shards(spec):
        samples = [Sample(grey, text, index, None, None) for index, text in enumerate(texts[shard.split])]
        manifest.sha256[shard.name] = shards.write(folder / shard.name, samples)
    manifest.save(folder)
    return spec


def test_what_cannot_be_read_teaches_nothing_and_what_has_no_letter_is_not_counted(tmp_path: Path) -> None:
    texts: dict[Split, list[str]] = {
        "train": ["word", "a" * 24, "a" * 25, "-"],
        "val": ["---", "yes"],
        "test": ["one", "?!", "2"],
    }
    config = presets.aimed(replace(smoke(), data=data_set(tmp_path, texts)), "image")
    config = replace(config, stage2=replace(config.stage2, legibility=0.0))
    data = training_data.data(config, tmp_path, tmp_path)
    assert data.train.legible is not None
    assert [data.train.texts[index] for index in data.train.legible] == ["word", "a" * 24, "-"]
    assert (data.val.texts, data.test.texts) == (["yes"], ["one", "2"])
    assert [len(split.images) for split in data] == [4, 1, 2]
