"""A whole point without Ray."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import reader
import torch

from datagen import dataset
from datagen.dataset import TextImages
from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.files import tfic
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from sweep.config import StageConfig, SweepConfig, override
from sweep.presets import smoke
from sweep.stages import tree
from sweep.stages.store import Store
from sweep.training.loop import Progress
from sweep.trials import trial
from sweep.trials.target import Target
from sweep.trials.trial import Data


@pytest.fixture(scope="module")
def config(spec: DatasetSpec) -> SweepConfig:
    stage = StageConfig(steps=2, batch_size=2)
    small = {"data": spec, "stage1": stage, "stage2": replace(stage, distortion_weight=0.1)}
    return override(smoke(), strategy="shared", cpus_per_trial=2, **small)


@pytest.fixture(scope="module")
def data(data_folder: Path) -> Data:
    return Data(*(dataset.load(data_folder, split) for split in ("train", "val", "test")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    return tmp_path / "run"


@pytest.mark.slow
def test_a_trial_trains_both_stages_and_measures_real_files(config: SweepConfig, data: Data, folder: Path) -> None:
    seen: list[Progress] = []
    point = trial.run(Target("tfic", 0.01, 0.1), config, Store.of(folder), data, seen.append)
    row: dict[str, Any] = point.columns()
    assert [progress.ocr is None for progress in seen] == [True, False]
    assert (row["status"], row["kind"], row["lambda"], row["beta"]) == ("complete", "tfic", 0.01, 0.1)
    assert (row["stage1_steps"], row["stage2_steps"], row["distortion_weight"]) == (2, 2, 0.1)
    assert row["bpp"] > row["bpp_payload"] > 0
    assert 0 <= row["val_accuracy"] <= 1
    assert row["train_seconds"] > 0
    assert (folder / row["checkpoint"]).exists()


@pytest.mark.slow
def test_a_trial_against_two_teachers_measures_both(
    config: SweepConfig, data: Data, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reader.__file__, tmp_path / "trial_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    both = replace(config, recognizers=ensemble.parse(["english_g2", "trial_reader:load=0.5"]))
    words = TextImages(data.train.images, ["word"] * len(data.train.texts))
    seen: list[Progress] = []
    row: dict[str, Any] = trial.run(
        Target("tfic", 0.01, 0.1), both, Store.of(folder), data._replace(train=words), seen.append
    ).columns()
    assert seen[-1].ocr is not None
    assert row["status"] == "complete"
    assert 0 <= row["accuracy_trial_reader.load"] <= 1
    assert row["point_id"] != Target("tfic", 0.01, 0.1).identity(config).point_id


@pytest.mark.slow
def test_a_base_point_is_its_stage_1(config: SweepConfig, data: Data, folder: Path) -> None:
    point = trial.run(Target("base", 0.01), config, Store.of(folder), data, lambda progress: None)
    row: dict[str, Any] = point.columns()
    assert (row["kind"], row["beta"], row["stage2_steps"], row["distortion_weight"]) == ("base", 0.0, 0, 1.0)


def test_the_uncompressed_point_needs_no_training(config: SweepConfig, data: Data, folder: Path) -> None:
    row: dict[str, Any] = trial.run(
        Target("uncompressed"), config, Store.of(folder), data, lambda progress: pytest.fail("trained")
    ).columns()
    assert (row["point_id"], row["bpp"], row["status"]) == ("uncompressed", 24.0, "complete")
    assert row["accuracy"] > 0.6


@pytest.mark.slow
def test_a_point_that_diverges_fails_with_a_reason(config: SweepConfig, data: Data, folder: Path) -> None:
    wild = replace(config, stage1=StageConfig(steps=30, batch_size=2, learning_rate=1e30))
    point = trial.run(Target("base", 0.01), wild, Store.of(folder), data, lambda progress: None)
    row: dict[str, Any] = point.columns()
    assert row["status"] == "failed"
    assert "the loss is" in row["reason"]
    assert "bpp" not in row


def test_points_with_equal_settings_have_equal_ids(config: SweepConfig) -> None:
    target = Target("tfic", 0.01, 0.1)
    assert target.identity(config).point_id == target.identity(override(config, budget=9)).point_id
    assert target.identity(config).point_id != Target("tfic", 0.01, 0.2).identity(config).point_id


def test_settings_of_its_own_make_another_point(config: SweepConfig) -> None:
    target = Target("tfic", 0.01, 0.1)
    varied = replace(target, varied=(("learning_rate", 0.5), ("steps", 7), ("distortion_weight", 0.2)))
    node, identity = varied.node(config), varied.identity(config)
    assert node is not None
    assert (node.stage.learning_rate, node.stage.steps, node.stage.distortion_weight) == (0.5, 7, 0.2)
    assert node.parent == tree.stage1(config, 0.01)
    assert (identity.stage2_steps, identity.distortion_weight) == (7, 0.2)
    assert identity.point_id != target.identity(config).point_id


def test_a_look_at_a_codec_in_training_is_at_its_files_and_moves_nothing(data: Data) -> None:
    def file(codec: Codec) -> bytes:
        return tfic.encode(TrainedCodec(codec, "small", "", {}), data.val.images[0])

    codec, seen = codecs.build("small").train(), []
    before = copy.deepcopy(codec.state_dict())
    rungs = trial._Rungs([20], lambda ready, steps: seen.append((steps, file(ready))))
    for step in (10, 20, 30):
        rungs(Progress(step, 60, 1.0, 1.0, 1.0, 1.0, 1e-3, 1.0), codec)
    assert codec.training
    assert all(torch.equal(value, before[name]) for name, value in codec.state_dict().items())
    codec.eval().update_tables()
    assert seen == [(20, file(codec))]
