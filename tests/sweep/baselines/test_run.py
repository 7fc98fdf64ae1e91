"""Baselines on a real data set, read by a real recognizer."""

from pathlib import Path

import numpy as np
import pytest

from datagen import shards
from datagen.dataset import TextImages
from models.baselines.few_greys import GROUP_4, OTSU, PNG, FewGreys
from models.baselines.lossy import JPEG, JPEG_STANDARD, WEBP, LossyCodec
from models.baselines.text import TextCoder
from models.metrics import accuracy
from models.recognizers.ctc_attention import CtcRecognizer
from sweep.baselines import cache, run
from sweep.baselines.measuring import ReadOnce, encode, measure, measure_text
from sweep.baselines.points import COUNTINGS, envelope, points

FEW = [
    *(FewGreys(OTSU, lossless, divisor) for lossless in (GROUP_4, PNG) for divisor in (1, 2)),
    *(LossyCodec(WEBP, True, 2, quality) for quality in (1, 40)),
]
PIXELS = 64 * 256


def test_equal_images_are_read_once(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    reader = ReadOnce(recognizer)
    two = TextImages(test_images.images[:2], test_images.texts[:2])
    g4, png = (measure(FewGreys(OTSU, lossless, 1), two, 0, 2, reader) for lossless in (GROUP_4, PNG))
    assert reader.images_read == 2
    assert [each.read for each in g4] == [each.read for each in png]
    assert [each.bytes for each in g4] != [each.bytes for each in png]
    optimized, standard = (measure(LossyCodec(form, True, 4, 20), two, 0, 2, reader) for form in (JPEG, JPEG_STANDARD))
    assert reader.images_read == 4
    assert [each.accuracy for each in optimized] == [each.accuracy for each in standard]


def test_readings_are_of_real_files(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    codec = LossyCodec(WEBP, True, 1, 60)
    found = measure(codec, test_images, 1, 3, ReadOnce(recognizer))
    assert [each.image for each in found] == [1, 2]
    for each in found:
        file = codec.encode(test_images.images[each.image])
        assert (each.bytes, each.repeated) == (len(file), codec.repeated_bytes(file))
        assert each.accuracy == accuracy(each.read, test_images.texts[each.image])


def test_a_file_that_shares_nothing_pays_in_full(test_images: TextImages) -> None:
    codec = FewGreys(OTSU, PNG, 1)
    images = np.stack([*test_images.images[:2], test_images.images[2]])
    assert min(encode(codec, images).repeated) > 0

    class Other(FewGreys):
        def encode(self, image: np.ndarray) -> bytes:
            return FewGreys(OTSU, PNG, 2 if np.array_equal(image, images[2]) else 1).encode(image)

    assert encode(Other(OTSU, PNG, 1), images).repeated[2] == 0


def test_a_text_is_sent_in_a_few_bytes(test_images: TextImages) -> None:
    truths = iter(test_images.texts)
    found = measure_text(TextCoder(["total"]), lambda image: next(truths), test_images)
    assert [each.read for each in found] == test_images.texts
    assert {each.accuracy for each in found} == {1.0}
    assert all(0 < each.bytes < 2 * len(each.read) + 4 for each in found)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "baselines", lambda: FEW)


@pytest.mark.usefixtures("few")
def test_a_second_sweep_on_the_data_reads_nothing(
    recognizer: CtcRecognizer, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = run.measured(data_folder, recognizer, "english_g2", {}, tmp_path)
    val, test = (points(frame, split, PIXELS) for split in ("val", "test"))
    assert {each.images for each in test} == {12}
    for counting in COUNTINGS:
        assert envelope(val, test, counting)
    assert [each.setting for each in test if each.name == "text-english_g2"] == ["as read"]
    monkeypatch.setattr(recognizer, "read", None)
    assert run.measured(data_folder, recognizer, "english_g2", {}, tmp_path).equals(frame)


def test_readings_are_kept_by_all_that_decides_of_them(tmp_path: Path, data_folder: Path) -> None:
    digest = shards.digest(data_folder) or ""
    paths = {
        cache.path(tmp_path, digest, "english_g2", FEW, []),
        cache.path(tmp_path, "other", "english_g2", FEW, []),
        cache.path(tmp_path, digest, "ppocr", FEW, []),
        cache.path(tmp_path, digest, "english_g2", FEW[1:], []),
        cache.path(tmp_path, digest, "english_g2", FEW, ["tesseract"]),
    }
    assert len(paths) == 5


def test_a_damaged_file_is_measured_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert cache.load(tmp_path / "none.parquet") is None
    assert not caplog.messages
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    assert cache.load(tmp_path / "damaged.parquet") is None
    assert "measured again" in caplog.text
