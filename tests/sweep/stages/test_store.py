"""What runs beside one another share, and what is listed and deleted of it."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from commands import call
from filelock import FileLock, Timeout

from datagen import dataset
from datagen.dataset import TextImages
from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from models.codecs.conditioning import ConditionedCodec
from models.recognizers.ctc_attention import CtcRecognizer
from sweep import store
from sweep.config import StageConfig, SweepConfig, override
from sweep.errors import SweepError
from sweep.presets import smoke
from sweep.stages import tree
from sweep.stages.store import Store
from sweep.stages.train import train_node
from sweep.training.checkpoint import Mishaps
from sweep.training.loop import Progress

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
    train_node(tree.stage1(config, 0.01), Store.of(tmp_path / "a"), images, recognizer, CPU)
    return tmp_path


def test_a_node_that_one_run_has_trained_is_not_trained_by_another(
    runs: Path, config: SweepConfig, images: TextImages, recognizer: CtcRecognizer
) -> None:
    node, seen = tree.stage1(config, 0.01), list[Progress]()
    train_node(node, Store.of(runs / "b"), images, recognizer, CPU, seen.append)
    assert seen == []
    assert Store.of(runs / "a").path(node).samefile(Store.of(runs / "b").path(node))
    assert not Store.of(runs / "b").holds(tree.stage1(config, 0.02))


def damage(path: Path) -> None:
    """Flips a bit in the middle, which torch reads without a word."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes(content)


def replaced(path: Path, content: bytes) -> None:
    """Another file in its place, which shares nothing with the one before."""
    path.unlink()
    path.write_bytes(content)


def test_a_damaged_checkpoint_is_set_aside_and_taken_from_another_run(
    runs: Path, config: SweepConfig, caplog: pytest.LogCaptureFixture
) -> None:
    node, store = tree.stage1(config, 0.01), Store.of(runs / "b")
    assert store.holds(node)
    good = store.path(node).read_bytes()
    replaced(store.path(node), good[:-100])
    assert store.load(node) is not None
    assert store.path(node).read_bytes() == good
    assert store.path(node).with_name(f"{node.key}.pt.damaged").read_bytes() == good[:-100]
    assert f"{node.key}.pt is damaged: it is set aside" in caplog.text


def test_a_checkpoint_that_is_damaged_everywhere_is_trained_again_and_nothing_is_deleted(
    runs: Path, config: SweepConfig, images: TextImages, recognizer: CtcRecognizer
) -> None:
    node, seen = tree.stage1(config, 0.01), list[Progress]()
    damage(Store.of(runs / "a").path(node))
    Store.of(runs / "a").set_damaged_aside()
    train_node(node, Store.of(runs / "b"), images, recognizer, CPU, seen.append)
    assert [progress.step for progress in seen] == [2]
    places = [runs / "a" / "checkpoints", runs / "store"]
    assert [(place / f"{node.key}.pt.damaged").exists() for place in places] == [True, True]
    assert Store.of(runs / "a").load(node) is not None


def test_a_half_done_stage_that_is_damaged_starts_again_and_tells_how_it_went(
    runs: Path, config: SweepConfig, images: TextImages, recognizer: CtcRecognizer
) -> None:
    node, seen, store = tree.stage1(config, 0.02), list[Progress](), Store.of(runs / "b")
    half = store.folder / f"{node.key}.partial.pt"
    other = tree.stage1(config, 0.01)
    assert store.holds(other)
    half.write_bytes(store.path(other).read_bytes()[:-9])
    train_node(node, store, images, recognizer, CPU, seen.append)
    assert [progress.step for progress in seen] == [2]
    assert half.with_name(f"{half.name}.damaged").exists()
    assert store.mishaps(node) == ""
    description = store.path(node).with_suffix(".json")
    told = json.loads(description.read_text())
    assert told["mishaps"] == {"skipped": 0, "halvings": 0}
    description.write_text(json.dumps(told | {"mishaps": {"skipped": 4, "halvings": 1}}))
    said = store.mishaps(replace(node, recognizer="a", parent=node))
    assert said == f"stage 1: {Mishaps(skipped=4, halvings=1)}"


def test_a_whole_file_of_another_network_is_left_where_it_is(runs: Path, config: SweepConfig) -> None:
    node, store = tree.stage1(config, 0.01), Store.of(runs / "a")
    other = codecs.build("mbt2018-mean").state_dict()
    torch.save(other, store.path(node))
    with pytest.raises(SweepError, match="another network"):
        store.load(node)
    assert store.path(node).exists()
    assert (runs / "store" / f"{node.key}.pt").exists()


def test_a_node_that_nobody_trained_is_not_found_and_leaves_no_file(runs: Path, config: SweepConfig) -> None:
    before = sorted(runs.rglob("*"))
    assert Store.of(runs / "b").load(tree.stage1(config, 0.02)) is None
    assert sorted(runs.rglob("*")) == before


def test_nodes_are_listed_with_their_users(runs: Path, config: SweepConfig) -> None:
    node = tree.stage1(config, 0.01)
    [entry] = store.entries(runs)
    assert entry.users == ("a",)
    key, what, size, _, users = entry.row(entry.path.stat().st_mtime + 61)
    assert (key, what, users) == (node.key, "small, stage 1, λ 0.01, β 0, 2 steps", "a")
    assert size.endswith("MiB")
    assert Store.of(runs / "b").holds(node)
    assert [entry.users for entry in store.entries(runs / "b")] == [("a", "b")]


@pytest.mark.parametrize("description", ["{", "[]", '"a"', '{"codec": "small", "stage": {}}', None])
def test_nodes_that_older_code_described_are_listed_and_deleted(runs: Path, description: str | None) -> None:
    [entry] = store.entries(runs)
    file = entry.path.with_suffix(".json")
    file.unlink()
    if description:
        file.write_text(description)
    assert entry.row(0)[1] == "?"
    shutil.rmtree(runs / "a")
    assert store.prune(runs) == 1
    assert list((runs / "store").iterdir()) == []


def test_only_what_no_run_uses_is_deleted(runs: Path) -> None:
    assert store.prune(runs) == 0
    with pytest.raises(SweepError, match="delete the run"):
        store.prune(runs / "a")
    shutil.rmtree(runs / "a")
    assert store.prune(runs) == 1
    assert list((runs / "store").iterdir()) == []


def test_checkpoints_that_were_set_aside_are_listed_and_pruned(runs: Path, config: SweepConfig) -> None:
    node = tree.stage1(config, 0.01)
    (runs / "b" / "checkpoints" / f"{node.key}.partial.pt.damaged").write_bytes(b"half")
    [half] = [entry for entry in store.entries(runs) if entry.path.suffix == ".damaged"]
    assert half.row(half.path.stat().st_mtime)[:2] == (node.key, "partial.damaged")
    assert store.entries(runs / "b") == [half]
    assert store.prune(runs) == 1
    assert [entry.users for entry in store.entries(runs)] == [("a",)]


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="no run's folder"):
        store.entries(tmp_path)


def test_a_sweep_waits_for_the_one_that_trains_a_node_until_that_one_dies(
    tmp_path: Path, config: SweepConfig, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "store").mkdir()
    node, held = tree.stage1(config, 0.01), Store.of(tmp_path / "a")
    lock = tmp_path / "store" / f"{node.key}.lock"
    other = subprocess.Popen(call("lock_holder.py", str(lock)), stdout=subprocess.PIPE, text=True)
    request.addfinalizer(other.kill)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    waits = []

    def wait() -> None:
        waits.append(len(waits))
        other.kill()

    with held.claimed([node], wait):
        assert waits
        with pytest.raises(Timeout):
            FileLock(lock).acquire(timeout=0)
    FileLock(lock).acquire(timeout=0)
    other.communicate()


def test_a_trained_node_is_not_claimed(runs: Path, config: SweepConfig) -> None:
    with Store.of(runs / "b").claimed([tree.stage1(config, 0.01)], pytest.fail):
        assert not list(runs.glob("store/*.lock"))


def test_a_second_sweep_with_other_betas_trains_no_stage_1_again(config: SweepConfig) -> None:
    conditional = replace(config, strategy="conditional")
    other = override(conditional, betas=(0.5, 0.6))
    assert tree.conditioned1(conditional).key == tree.conditioned1(other).key
    assert tree.conditioned2(conditional).key != tree.conditioned2(other).key


def test_a_stage_2_knows_its_own_betas_whatever_its_stage_1_knew(
    config: SweepConfig, images: TextImages, recognizer: CtcRecognizer, tmp_path: Path
) -> None:
    stage2 = StageConfig(steps=0, batch_size=2)
    conditional = override(config, strategy="conditional", stage2=stage2, betas=(0.5, 0.6))
    train_node(tree.conditioned1(conditional), Store(tmp_path), images, recognizer, CPU)
    codec = train_node(tree.conditioned2(conditional), Store(tmp_path), images, recognizer, CPU)
    assert isinstance(codec, ConditionedCodec)
    assert codec.plane.ocr_weights == (0.5, 0.6)
