"""What runs beside one another share, and what is listed and deleted of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from datagen import dataset
from datagen.dataset import TextImages
from datagen.spec import DatasetSpec
from models.frozen import CtcRecognizer
from sweep import stages, store
from sweep.checkpoints import Store
from sweep.config import StageConfig, SweepConfig
from sweep.errors import SweepError
from sweep.presets import smoke
from sweep.training import Progress

CPU = torch.device("cpu")


@pytest.fixture
def config(spec: DatasetSpec) -> SweepConfig:
    return replace(smoke(), data=spec, strategy="shared", stage1=StageConfig(steps=2, batch_size=2))


@pytest.fixture
def images(data_folder: Path) -> TextImages:
    return dataset.load(data_folder, "train")


@pytest.fixture
def runs(tmp_path: Path, config: SweepConfig, images: TextImages, recognizer: CtcRecognizer) -> Path:
    """A folder with a run that has trained a node."""
    (tmp_path / "a" / "checkpoints").mkdir(parents=True)
    (tmp_path / "b" / "checkpoints").mkdir(parents=True)
    Store.of(tmp_path / "a").codec(stages.stage1(config, 0.01), images, recognizer, CPU)
    return tmp_path


def test_what_one_run_has_trained_another_does_not(
    runs: Path, config: SweepConfig, images: TextImages, recognizer: CtcRecognizer
) -> None:
    node, seen = stages.stage1(config, 0.01), list[Progress]()
    Store.of(runs / "b").codec(node, images, recognizer, CPU, seen.append)
    assert seen == []
    assert Store.of(runs / "a").path(node).samefile(Store.of(runs / "b").path(node))
    assert not Store.of(runs / "b").holds(stages.stage1(config, 0.02))


def test_a_damaged_node_is_not_taken_over_again(runs: Path, config: SweepConfig) -> None:
    node = stages.stage1(config, 0.01)
    assert Store.of(runs / "b").holds(node)
    Store.of(runs / "b").path(node).write_bytes(b"damaged")
    with pytest.raises(SweepError, match="damaged"):
        Store.of(runs / "b").load(node)
    Store.of(runs / "b").path(node).unlink()
    assert not Store.of(runs / "b").holds(node)


def test_nodes_are_listed_with_their_users(runs: Path, config: SweepConfig) -> None:
    node = stages.stage1(config, 0.01)
    [entry] = store.entries(runs)
    assert entry.users == ("a",)
    key, what, size, _, users = entry.row(entry.path.stat().st_mtime + 61)
    assert (key, what, users) == (node.key, "small, stage 1, λ 0.01, β 0, 2 steps", "a")
    assert size.endswith("MiB")
    assert Store.of(runs / "b").holds(node)
    assert [entry.users for entry in store.entries(runs / "b")] == [("a", "b")]


def test_only_what_no_run_uses_is_deleted(runs: Path) -> None:
    assert store.prune(runs) == 0
    with pytest.raises(SweepError, match="delete the run"):
        store.prune(runs / "a")
    shutil.rmtree(runs / "a")
    assert store.prune(runs) == 1
    assert list((runs / "store").iterdir()) == []


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="no run's folder"):
        store.entries(tmp_path)
