"""Checkpoints as they are released, with random weights: loaded, or refused in one line."""

from dataclasses import replace
from pathlib import Path

import formula
import pytest
import torch

from models.errors import ModelError, WeightsError
from models.recognizers import registry as recognizers
from models.recognizers.ctc_attention import AttnRecognizer, CtcRecognizer
from models.recognizers.four_stage.checkpoints import ALPHANUMERIC, PRINTABLE
from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.weights import WeightsFile


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    return formula.checkpoint(tmp_path_factory.mktemp("weights") / "ctc.pth", "none-rcnn-none-ctc", 37)


@pytest.fixture(scope="module")
def attention(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    return formula.checkpoint(tmp_path_factory.mktemp("weights") / "attention.pth", "tps-rcnn-bilstm-attn", 96)


def test_a_checkpoint_says_how_many_characters_it_knows(ctc: WeightsFile, attention: WeightsFile) -> None:
    few, many = recognizers.load("none-rcnn-none-ctc", ctc), recognizers.load("TPS-RCNN-BiLSTM-Attn", attention)
    assert isinstance(few, CtcRecognizer)
    assert isinstance(many, AttnRecognizer)
    assert (few.characters, many.characters) == (ALPHANUMERIC, PRINTABLE)
    assert (few.height, few.width) == (32, 100)


def test_a_loaded_network_computes_what_the_saved_one_did(attention: WeightsFile) -> None:
    network = StrNet(COMBINATIONS["tps-rcnn-bilstm-attn"], 96).eval()
    formula.fill(network.state_dict())
    loaded = recognizers.four_stage("tps-rcnn-bilstm-attn", attention)
    images, before = formula.images(1), formula.before(1, 96, 4)
    assert torch.allclose(loaded.network(images, before), network(images, before), atol=1e-4)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.slow
def test_trba_is_an_alias(tmp_path: Path) -> None:
    file = formula.checkpoint(tmp_path / "trba.pth", "tps-resnet-bilstm-attn", 38)
    recognizer = recognizers.load("trba", file)
    assert len(recognizer.read(torch.rand(2, 3, 64, 256))) == 2
    assert recognizers.identity("trba", file) == f"tps-resnet-bilstm-attn@{file.sha256[:16]}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("module.FeatureExtraction.ConvNet.0.bias"), r"it lacks .*ConvNet\.0\.bias; give"),
        (lambda state: state.update(more=torch.zeros(1)), "it has also more; give"),
        (lambda state: [state.pop(key) for key in list(state) if "BN" in key], r"BN_x_init\.bias and \d+ more;"),
        (lambda state: state.update({"module.Prediction.weight": torch.zeros(50, 512)}), "knows 49 characters"),
        (lambda state: state.update({"module.Prediction.bias": torch.zeros(36)}), "shapes differ"),
        (lambda state: state.update(step=3), "no state dict of tensors"),
        (lambda state: state.clear(), "it lacks FeatureExtraction"),
    ],
)
def test_other_tensors_are_refused(ctc: WeightsFile, tmp_path: Path, change, said: str) -> None:
    state = torch.load(ctc.path, weights_only=True)
    change(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=said) as refused:
        recognizers.load("none-rcnn-none-ctc", WeightsFile.of(tmp_path / "other.pth"))
    assert "other.pth" in str(refused.value)
    assert len(str(refused.value)) < 400


def test_another_networks_weights_say_which(ctc: WeightsFile) -> None:
    with pytest.raises(WeightsError, match="holds none-rcnn-none-ctc, not tps-resnet-bilstm-attn; give --recognizer n"):
        recognizers.load("trba", ctc)


@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", b"PK\3\4 half a zip", b"\x80\x02cos\nsystem\n.", b"the text", b"bpp,accuracy\n"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights\.pth cannot be read as a checkpoint"):
        recognizers.load("trba", WeightsFile.of(tmp_path / "weights.pth"))


def test_changed_and_missing_files_are_named(ctc: WeightsFile, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has changed"):
        recognizers.load("none-rcnn-none-ctc", replace(ctc, sha256="0" * 64))
    with pytest.raises(WeightsError, match=r"none\.pth cannot be read \(No such file"):
        WeightsFile.of(tmp_path / "none.pth")


def test_a_file_is_the_same_wherever_it_lies(ctc: WeightsFile) -> None:
    assert replace(ctc, path="elsewhere") == ctc


def test_a_recognizer_that_needs_a_file_says_so(ctc: WeightsFile) -> None:
    with pytest.raises(ModelError, match="tps-resnet-bilstm-attn comes without weights; give --recognizer-weights"):
        recognizers.load("trba")
    with pytest.raises(ModelError, match="leave --recognizer-weights out"):
        recognizers.load("english_g2", ctc)


def test_an_identity_finds_its_file_again(ctc: WeightsFile, attention: WeightsFile) -> None:
    wanted = recognizers.identity("none-rcnn-none-ctc", ctc)
    assert recognizers.load_identified(wanted, Path(ctc.path)).characters == ALPHANUMERIC
    with pytest.raises(WeightsError, match="is not the checkpoint"):
        recognizers.load_identified(wanted, Path(attention.path))
    with pytest.raises(ModelError, match="give --recognizer-weights"):
        recognizers.load_identified(wanted, None)
