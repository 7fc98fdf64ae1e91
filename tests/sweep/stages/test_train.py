"""Nodes are trained once, from where their parents end."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from nodes import base_node, trial_node

from datagen import dataset
from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.files.model import RateDial
from models.recognizers.ctc_attention import AttnRecognizer, CtcRecognizer
from models.recognizers.four_stage.checkpoints import ALPHANUMERIC
from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.weights import WeightsFile
from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.stages import nodes, tree
from sweep.stages.store import Store
from sweep.stages.train import train_node
from sweep.stages.tree import Node
from sweep.training.checkpoint import Mishaps
from sweep.training.loop import Progress
from sweep.training.team import Team

CPU = torch.device("cpu")


def test_training_starts_from_a_checkpoint(
    conditional: SweepConfig, recognizer: CtcRecognizer, test_images: TextImages, tmp_path: Path
) -> None:
    torch.manual_seed(7)
    codec = codecs.build("small")
    torch.save(codec.state_dict(), tmp_path / "small.pth")
    without_steps = replace(conditional.stage1, steps=0)
    given = replace(conditional, stage1=without_steps, init=WeightsFile.of(tmp_path / "small.pth"))
    train_node(tree.conditioned1(given), Store(tmp_path), test_images, recognizer, CPU)
    started = train_node(base_node(given, 0.05), Store(tmp_path), test_images, recognizer, CPU)
    fresh = tree.conditioned1(conditional).start()
    assert isinstance(fresh, ConditionedCodec)
    for name, weight in codec.named_parameters():
        if name.startswith(("g_", "h_")):
            assert torch.equal(started.get_parameter(name), weight)
            assert not torch.equal(fresh.codec.get_parameter(name), weight)


def test_training_starts_from_a_dial_at_every_rate(conditional: SweepConfig, dial: RateDial, tmp_path: Path) -> None:
    dial.save(tmp_path / "dial.pt")
    given = replace(conditional, init=WeightsFile.of(tmp_path / "dial.pt"))
    whole, single = tree.conditioned1(given), tree.stage1(given, 0.02)
    started = whole.start()
    assert isinstance(started, ConditionedCodec)
    assert started.plane == whole.plane
    plain, there, folded = single.start(), started.fold(0.02, 0.0), dial.network.fold(0.02, 0.0)
    for name, weight in folded.named_parameters():
        assert torch.equal(plain.get_parameter(name), weight)
        assert torch.allclose(there.get_parameter(name), weight, atol=1e-6)


@pytest.mark.slow
def test_a_node_is_trained_once_and_its_parent_too(
    config: SweepConfig, data_folder: Path, recognizer: CtcRecognizer, tmp_path: Path
) -> None:
    data = dataset.load(data_folder, "train")

    def steps_for(node: Node) -> int:
        seen: list[Progress] = []
        train_node(node, Store(tmp_path), data, recognizer, CPU, seen.append)
        return len(seen)

    assert steps_for(trial_node(config, 0.01, 0.1)) == 2
    assert steps_for(trial_node(config, 0.01, 0.1)) == 0
    assert steps_for(base_node(config, 0.01)) == 0
    assert steps_for(trial_node(config, 0.01, 0.2)) == 1
    assert len(list(tmp_path.glob("*.pt"))) == 3


@pytest.mark.slow
def test_a_store_gives_back_the_codec_that_was_trained(
    config: SweepConfig, data_folder: Path, recognizer: CtcRecognizer, tmp_path: Path, test_images: TextImages
) -> None:
    data = dataset.load(data_folder, "train")
    node, store = base_node(config, 0.01), Store(tmp_path)
    trained = train_node(node, store, data, recognizer, CPU)
    again = train_node(node, store, data, recognizer, CPU)
    image = dataset.to_tensor(test_images.images[:1])
    assert isinstance(trained, Codec)
    assert isinstance(again, Codec)
    assert again.compress(image) == trained.compress(image)


@pytest.mark.slow
def test_a_point_is_folded_out_of_the_conditioned_codec_and_polished(
    conditional: SweepConfig, data_folder: Path, recognizer: CtcRecognizer, tmp_path: Path, test_images: TextImages
) -> None:
    data, store = dataset.load(data_folder, "train"), Store(tmp_path)
    image = dataset.to_tensor(test_images.images[:1])
    for node in (tree.conditioned1(conditional), tree.conditioned2(conditional)):
        train_node(node, store, data, recognizer, CPU)
    plain = train_node(trial_node(conditional, 0.05, 0.1), store, data, recognizer, CPU)
    assert len(list(tmp_path.glob("*.pt"))) == 3
    network = store.load(tree.conditioned2(conditional))
    assert isinstance(network, ConditionedCodec)
    assert isinstance(plain, Codec)
    assert plain.compress(image) == network.fold(0.05, 0.1).compress(image)
    polished = train_node(trial_node(replace(conditional, polish_steps=2), 0.05, 0.1), store, data, recognizer, CPU)
    assert isinstance(polished, Codec)
    assert len(list(tmp_path.glob("*.pt"))) == 4
    assert polished.compress(image) != plain.compress(image)


def test_a_point_whose_conditioned_codec_is_lost_fails_with_its_path(
    conditional: SweepConfig, recognizer: CtcRecognizer, test_images: TextImages, tmp_path: Path
) -> None:
    name = nodes.file(tree.conditioned2(conditional).key)
    with pytest.raises(SweepError, match=f"{name}, which is stage 2 of all points, is lost"):
        train_node(
            trial_node(conditional, 0.05, 0.1),
            Store(tmp_path),
            test_images,
            recognizer,
            CPU,
            lambda seen: pytest.fail("trained"),
        )
    assert not list(tmp_path.iterdir())


def test_what_one_of_a_team_finds_trained_none_trains(
    conditional: SweepConfig, recognizer: CtcRecognizer, test_images: TextImages, tmp_path: Path
) -> None:
    node, store = tree.conditioned1(conditional), Store(tmp_path)

    def told(mine: bool) -> bool:
        store.save(node, node.start(), Mishaps())
        return True

    seen = list[Progress]()
    train_node(node, store, test_images, recognizer, CPU, seen.append, Team(1, 2, any=told))
    assert not seen


@pytest.mark.slow
def test_a_recognizer_with_attention_teaches_too(config: SweepConfig, data_folder: Path, tmp_path: Path) -> None:
    """Its loss runs in bfloat16 where the processor computes it."""
    torch.manual_seed(0)
    network = StrNet(COMBINATIONS["tps-resnet-bilstm-attn"], 38, channels=64, hidden=32)
    data = dataset.load(data_folder, "train")
    words = TextImages(data.images, ["Word", "7"] * (len(data.texts) // 2))
    seen: list[Progress] = []
    node = trial_node(config, 0.01, 0.1)
    train_node(node, Store(tmp_path), words, AttnRecognizer(network, ALPHANUMERIC, 32, 100), CPU, seen.append)
    assert seen[-1].ocr is not None
    assert 0 < seen[-1].ocr < 10
