"""Who reads which points again, and what becomes of it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import call
from rows import frame, point

from datagen.dataset import TextImages
from models.files.model import TrainedCodec
from models.recognizers import held_out
from models.recognizers.base import Transcription
from sweep.stages.store import Store
from sweep.trials import rereading

DONE = {"status": "complete"}
BASE = DONE | {"point_id": "b", "kind": "base", "bpp": 0.1, "accuracy": 0.4}
TFIC = DONE | {"point_id": "t", "kind": "tfic", "bpp": 0.1, "accuracy": 0.6, "codec": "small"}
PLAIN = DONE | {"point_id": "u", "kind": "uncompressed", "bpp": 24.0, "accuracy": 0.9}
WEBP = DONE | {"point_id": "w", "kind": "classical", "bpp": 0.2, "accuracy": 0.7}


class Brightness:
    """Reads how bright an image is."""

    def read(self, image: np.ndarray) -> Transcription:
        return Transcription(str(round(float(image.mean()))))


@pytest.fixture
def brightness(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the only reader that is here."""
    monkeypatch.setattr(held_out, "READERS", {"tesseract": Brightness})
    return ["tesseract"]


def test_the_front_and_the_uncompressed_images_are_read_once() -> None:
    table = frame(BASE, TFIC, PLAIN, WEBP)
    assert [point.point_id for point in rereading.unread(table, ["tesseract"])] == ["t", "u"]
    read = frame(BASE, TFIC | {"accuracy_tesseract": 0.3}, PLAIN, WEBP)
    assert [point.point_id for point in rereading.unread(read, ["tesseract"])] == ["u"]
    assert [point.point_id for point in rereading.unread(read, ["tesseract", "rapidocr"])] == ["t", "u"]


def test_the_uncompressed_images_are_read_as_they_are(brightness: list[str], tmp_path: Path) -> None:
    images = np.stack([np.full((64, 256, 3), value, np.uint8) for value in (7, 250)])
    [unread] = rereading.unread(frame(PLAIN), brightness)
    assert rereading.read(unread, brightness, Store.of(tmp_path), TextImages(images, ["7", "25"])) == {
        "tesseract": pytest.approx((1 + 2 / 3) / 2)
    }


def test_a_point_is_read_as_its_codec_restores_it(
    brightness: list[str], tmp_path: Path, trained: TrainedCodec, test_images: TextImages
) -> None:
    (tmp_path / "checkpoints").mkdir()
    torch.save(trained.codec.state_dict(), tmp_path / "checkpoints" / "t.pt")
    [unread] = rereading.unread(frame(TFIC | {"checkpoint": "checkpoints/t.pt"}), brightness)
    images = rereading._reconstructed(unread, Store.of(tmp_path), test_images.images[:2])
    assert images.shape == (2, 64, 256, 3)
    texts = [Brightness().read(image).text for image in images]
    data = TextImages(test_images.images[:2], texts)
    assert rereading.read(unread, brightness, Store.of(tmp_path), data) == {"tesseract": 1.0}


def test_an_absent_reader_leaves_its_column_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(held_out, "READERS", {})
    data = TextImages(np.zeros((1, 64, 256, 3), np.uint8), ["a"])
    assert rereading.read(point(**PLAIN), ["tesseract"], Store.of(tmp_path), data) == {}


@pytest.mark.slow
def test_points_are_read_by_rays_workers(data_folder: Path, tmp_path: Path) -> None:
    """By the readers that are installed; without any, nothing is told of a point."""
    reading = call("reread_points.py", str(data_folder), str(tmp_path))
    done = subprocess.run(reading, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "u True" in done.stdout
