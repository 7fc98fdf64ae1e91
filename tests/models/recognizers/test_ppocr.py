"""PP-OCRv4 in PyTorch equals the ONNX file it comes from, and teaches."""

import sys

import numpy as np
import pytest
import torch

from datagen.dataset import TextImages, to_tensor
from models.errors import ModelError, WeightsError
from models.metrics import mean_accuracy
from models.recognizers import ensemble, ppocr
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.ppocr import PpocrRecognizer


@pytest.fixture(scope="module")
def recognizer() -> PpocrRecognizer:
    for package in ("onnx2torch", "onnxslim", "rapidocr_onnxruntime"):
        pytest.importorskip(package)
    return ppocr.load()


@pytest.mark.parametrize("size", [(1, 192), (3, 192), (2, 320), (2, 101)])
def test_ppocr_equals_onnx_runtime(recognizer: PpocrRecognizer, size: tuple[int, int]) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(ppocr._path(), providers=["CPUExecutionProvider"])
    lines = torch.rand(size[0], 3, 48, size[1], generator=torch.Generator().manual_seed(0)) * 2 - 1
    [expected] = session.run(None, {session.get_inputs()[0].name: lines.numpy()})
    with torch.no_grad():
        ours = recognizer.network(lines).softmax(2).numpy()
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() < 1e-5


def test_ppocr_knows_the_characters_of_its_classes(recognizer: PpocrRecognizer) -> None:
    assert len(recognizer.characters) == 6624
    assert set(recognizer.known("Word 0-9 €")) >= set("Word0-9")
    assert recognizer.as_read("Word") == "Word"


def test_ppocr_reads_trdg_images_well(recognizer: PpocrRecognizer, test_images: TextImages) -> None:
    read = [text for text, _ in recognizer.read(to_tensor(test_images.images))]
    assert mean_accuracy(read, test_images.texts) > 0.7


def test_ppocr_teaches_whoever_drew_the_images(recognizer: PpocrRecognizer, test_images: TextImages) -> None:
    images = to_tensor(test_images.images[:2]).requires_grad_()
    texts = [recognizer.known(text) for text in test_images.texts[:2]]
    losses = recognizer.loss(images, texts, 0.5)
    losses.mean().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()
    assert (losses < recognizer.loss(images, ["zzzzzz", "qqqqqq"])).all()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(recognizer.loss(images, texts), losses)


def test_a_batch_reads_as_its_images_do(recognizer: PpocrRecognizer, test_images: TextImages) -> None:
    images = to_tensor(test_images.images[:2])
    for image, (text, confidence) in zip(images, recognizer.read(images), strict=True):
        [alone] = recognizer.read(image[None])
        assert (alone.text, alone.confidence) == (text, pytest.approx(confidence, rel=1e-3))


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    monkeypatch.setattr("models.recognizers.ppocr.importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match="ppocr needs the package rapidocr-onnxruntime: uv sync --inexact --extra ppocr"
    ):
        ensemble.load([RecognizerConfig("ppocr")])


def test_another_file_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / ppocr.FILE).write_bytes(b"another")
    package = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr("models.recognizers.ppocr.importlib.util.find_spec", lambda name: package)
    with pytest.raises(WeightsError, match="another than ppocr's"):
        ppocr.load()
