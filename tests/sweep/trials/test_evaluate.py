from dataclasses import replace

import pytest
import torch

from datagen.dataset import TextImages, to_tensor
from models.files import tfic
from models.files.model import TrainedCodec
from models.recognizers.base import FrozenRecognizer, Transcription
from models.recognizers.ctc_attention import CtcRecognizer
from models.recognizers.ensemble import Ensemble
from sweep.results.point import Identity, Point
from sweep.trials.evaluate import evaluate, evaluate_uncompressed, validate


def few(data: TextImages, count: int = 4) -> TextImages:
    return TextImages(data.images[:count], data.texts[:count])


def test_rate_is_that_of_whole_files(trained: TrainedCodec, recognizer: CtcRecognizer, test_images: TextImages) -> None:
    data = few(test_images)
    point = evaluate(trained, recognizer, data)
    sizes = [len(tfic.encode(trained, image)) for image in data.images]
    assert point.bpp == pytest.approx(8 * sum(sizes) / (4 * 64 * 256))
    assert point.bpp_payload is not None
    assert 0 < (point.bpp - point.bpp_payload) * 64 * 256 / 8 <= 12
    assert point.bpp_estimated == pytest.approx(point.bpp_payload, rel=0.1)


def test_a_codec_without_training_is_unreadable_and_timed(
    trained: TrainedCodec, recognizer: CtcRecognizer, test_images: TextImages
) -> None:
    point = evaluate(replace(trained), recognizer, few(test_images))
    assert point.accuracy < 0.3
    assert point.psnr_db is not None
    assert 0 < point.psnr_db < 20
    assert point.bpp_own is not None
    assert point.bpp_payload is not None
    # Each file has a stream of its own, and nothing else: this model has no dial.
    assert point.bpp_payload == point.bpp_own < point.bpp
    for taken in (point.encode_ms, point.ocr_ms):
        assert taken is not None
        assert taken > 0


def test_uncompressed_images_are_read_as_they_are(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    point = evaluate_uncompressed(recognizer, test_images)
    assert point.accuracy > 0.6
    assert point.bpp == 24.0
    assert point.psnr_db is None
    for reading, said in zip(point.readings, recognizer.read(to_tensor(test_images.images)), strict=True):
        assert (reading.read, reading.confidence) == (said.text, pytest.approx(said.confidence, abs=1e-3))


def test_validation_metrics_are_measured_on_real_files(
    trained: TrainedCodec, recognizer: CtcRecognizer, test_images: TextImages
) -> None:
    seen, point = validate(trained, recognizer, few(test_images)), evaluate(trained, recognizer, few(test_images))
    assert point.bpp_estimated is not None
    assert seen.bpp == point.bpp > point.bpp_estimated
    assert seen.psnr_db == point.psnr_db
    assert seen.accuracy == pytest.approx(point.accuracy, abs=0.1)


def test_others_are_measured_beside_the_first(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    both = Ensemble({"english_g2": recognizer, "again": recognizer}, [0.5, 0.5])
    point = evaluate_uncompressed(both, few(test_images))
    assert point.others == {"again": pytest.approx(point.accuracy, abs=0.1)}
    columns = Point(identity=Identity("u", "uncompressed"), status="complete", test=point).columns()
    assert columns["accuracy_again"] == point.others["again"]
    assert "others" not in columns


class Lowercase(FrozenRecognizer):
    """Reads the same word everywhere, in small letters."""

    def loss(self, images: torch.Tensor, texts: list[str], scale: float = 1.0) -> torch.Tensor:
        return images.mean((1, 2, 3))

    def read(self, images: torch.Tensor) -> list[Transcription]:
        return [Transcription("word")] * len(images)

    def as_read(self, text: str) -> str:
        return text.lower()


def test_differences_that_a_reader_cannot_tell_do_not_count(test_images: TextImages) -> None:
    data = TextImages(test_images.images[:2], ["Word", "WORD"])
    point = evaluate_uncompressed(Lowercase(), data)
    assert (point.accuracy, point.cer) == (1.0, 0.0)
