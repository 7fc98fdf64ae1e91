"""Files that training starts from: loaded whatever wrote them, or refused in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from miniatures import MINIATURES
from torch import Tensor, nn

from models.codecs import compressai_zoo
from models.codecs import registry as codecs
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.errors import WeightsError
from models.files import pretrained
from models.files.model import RateDial, TrainedCodec
from models.weights import WeightsFile


@pytest.fixture(autouse=True)
def miniatures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "CODECS", MINIATURES)


@pytest.fixture
def codec() -> Codec:
    return compressai_zoo.cheng2020_anchor(8)


def written(path: Path, content: object) -> WeightsFile:
    torch.save(content, path)
    return WeightsFile.of(path)


def parameters(codec: nn.Module) -> dict[str, Tensor]:
    return dict(codec.named_parameters())


def same(found: nn.Module, expected: nn.Module) -> bool:
    return all(torch.equal(tensor, parameters(expected)[name]) for name, tensor in parameters(found).items())


@pytest.mark.parametrize(
    "renamed",
    [
        {},
        {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"},
        {"matrices.": "_matrices.", "biases.": "_biases.", "factors.": "_factors.", ".skip.": ".downsample."},
    ],
)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_names_of_every_version_load(codec: Codec, tmp_path: Path, renamed: dict[str, str], prefix: str) -> None:
    """Published checkpoints hold coding tables, too, of other sizes than ours."""
    codec.update(force=True)
    state = {}
    for key, tensor in codec.state_dict().items():
        for new, old in renamed.items():
            key = key.replace(new, old)
        state[prefix + key] = tensor
    found = pretrained.load("cheng2020-anchor", written(tmp_path / "published.pth.tar", state))
    assert isinstance(found, Codec)
    assert same(found, codec)
    x = torch.rand(1, 3, 64, 64)
    found.eval().update_tables()
    with torch.no_grad():
        assert torch.equal(found.decompress(found.compress(x), 64, 64), found(x).x_hat.clamp(0, 1))


def test_a_checkpoint_of_a_training_loads(codec: Codec, tmp_path: Path) -> None:
    optimizer = torch.optim.Adam(codec.parameters())
    content = {"epoch": 3, "state_dict": codec.state_dict(), "loss": 1.5, "optimizer": optimizer.state_dict()}
    assert same(pretrained.load("cheng2020-anchor", written(tmp_path / "checkpoint.pth.tar", content)), codec)


def test_an_exported_model_loads(trained: TrainedCodec, tmp_path: Path) -> None:
    trained.save(tmp_path / "model.pt")
    assert same(pretrained.load("small", WeightsFile.of(tmp_path / "model.pt")), trained.codec)


def test_a_dial_loads_with_all_its_rates(dial: RateDial, tmp_path: Path) -> None:
    dial.save(tmp_path / "dial.pt")
    found = pretrained.load("small", WeightsFile.of(tmp_path / "dial.pt"))
    assert isinstance(found, ConditionedCodec)
    assert found.plane == dial.network.plane
    assert same(found, dial.network)
    with pytest.raises(WeightsError, match="holds small, not elic; give --codec small"):
        pretrained.load("elic", WeightsFile.of(tmp_path / "dial.pt"))


@pytest.mark.parametrize("plane", [{}, {"rate_weights": [0.1, 0.2]}, {"rate_weights": [1, 2], "ocr_weights": "ab"}, 3])
def test_a_damaged_dial_is_refused(dial: RateDial, tmp_path: Path, plane: object) -> None:
    dial.save(tmp_path / "dial.pt")
    content = torch.load(tmp_path / "dial.pt", weights_only=True)
    with pytest.raises(WeightsError, match=r"dial\.pt .*export it again"):
        pretrained.load("small", written(tmp_path / "dial.pt", content | {"plane": plane}))


def test_weights_of_all_rates_without_their_range_are_refused(dial: RateDial, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds codecs of all rates; export them: python -m sweep\.pick"):
        pretrained.load("small", written(tmp_path / "a.pt", dial.network.state_dict()))


def test_another_codec_says_which(codec: Codec, trained: TrainedCodec, tmp_path: Path) -> None:
    trained.save(tmp_path / "model.pt")
    with pytest.raises(WeightsError, match="holds small, not elic; give --codec small"):
        pretrained.load("elic", WeightsFile.of(tmp_path / "model.pt"))
    with pytest.raises(WeightsError, match="holds cheng2020-anchor, not elic; give --codec cheng2020-anchor"):
        pretrained.load("elic", written(tmp_path / "published.pth.tar", codec.state_dict()))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            compressai_zoo.hyperprior(10, 12).state_dict(),
            r"hyperprior of another size: .* is 10.*, here 8.*lower qualities fit",
        ),
        ({"a": torch.zeros(1)}, r"is no hyperprior: it lacks .* and \d+ more and has also a; give a checkpoint of"),
        ({"step": 3}, "holds no state dict of tensors"),
        ({1: torch.zeros(1)}, "holds no state dict of tensors"),
        ([1, 2], "holds no state dict of tensors"),
        ({"state_dict": 3}, "holds no state dict of tensors"),
    ],
)
def test_other_tensors_are_refused(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(WeightsError, match=said) as refused:
        pretrained.load("hyperprior", written(tmp_path / "other.pth", content))
    assert "other.pth" in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", b"PK\3\4 half a zip", b"\x80\x02cos\nsystem\n.", b"the text", b"bpp,accuracy\n"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights\.pth cannot be read as a checkpoint"):
        pretrained.load("small", WeightsFile.of(tmp_path / "weights.pth"))


def test_a_changed_file_is_refused(codec: Codec, tmp_path: Path) -> None:
    file = written(tmp_path / "a.pth", codec.state_dict())
    with pytest.raises(WeightsError, match="has changed"):
        pretrained.load("cheng2020-anchor", replace(file, sha256="0" * 64))
