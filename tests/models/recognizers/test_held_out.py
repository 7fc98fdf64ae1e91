"""Readers that no codec is trained against: each where it is installed."""

import sys

import pytest

from datagen.dataset import TextImages
from models.errors import ModelError
from models.metrics import mean_accuracy
from models.recognizers import held_out
from models.recognizers.held_out import READERS, Reader, Tesseract


def reader(name: str) -> Reader:
    try:
        return READERS[name]()
    except ModelError as reason:
        pytest.skip(f"{name}: {reason}")


@pytest.mark.parametrize(("name", "least"), [("tesseract", 0.3), ("rapidocr", 0.6)])
def test_a_held_out_reader_reads_lines(name: str, least: float, test_images: TextImages) -> None:
    engine = reader(name)
    read = [engine.read(image) for image in test_images.images]
    assert mean_accuracy([each.text for each in read], test_images.texts) > least
    assert not any("\n" in each.text for each in read)
    assert all(each.confidence is not None and 0 <= each.confidence <= 1 for each in read)


def test_absent_ones_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("tesserocr", "rapidocr_onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    readers, reasons = held_out.opened(())
    assert not readers
    assert reasons == {
        "tesseract": "its binding is missing: uv sync --inexact --extra tesseract",
        "rapidocr": "its package is missing: uv sync --inexact --extra rapidocr",
    }


def test_missing_languages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tesserocr", type(sys)("tesserocr"))
    monkeypatch.setattr("models.recognizers.held_out.TESSDATA", ())
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    with pytest.raises(ModelError, match="English data are missing: apt-get install tesseract-ocr"):
        Tesseract()


def test_a_network_that_teaches_is_not_held_out() -> None:
    readers, reasons = held_out.opened(["english_g2", "ppocr"])
    assert "rapidocr" not in readers
    assert reasons["rapidocr"] == "it is ppocr, which teaches, and so not held out"
