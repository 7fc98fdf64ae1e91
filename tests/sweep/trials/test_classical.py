import numpy as np
import pytest

from datagen.dataset import TextImages
from models.metrics import mean_accuracy
from models.recognizers.ctc_attention import CtcRecognizer
from sweep.trials import classical
from sweep.trials.classical import ClassicalCodec
from sweep.trials.evaluate import evaluate_classical


def test_the_envelope_is_of_every_color_and_size() -> None:
    codecs = classical.codecs()
    assert {(codec.grey, codec.divisor) for codec in codecs} == {(g, d) for g in (True, False) for d in (1, 2, 4)}
    assert len({(codec.name, codec.quality) for codec in codecs}) == len(codecs)


@pytest.mark.parametrize("divisor", classical.DIVISORS)
def test_an_image_keeps_its_size_and_look(divisor: int, test_images: TextImages) -> None:
    image = test_images.images[0]
    codec = ClassicalCodec(grey=False, divisor=divisor, quality=75)
    restored = codec.decode(codec.encode(image), image.shape[1], image.shape[0])
    assert restored.shape == image.shape
    assert np.abs(restored.astype(float) - image).mean() < 25


def test_grey_costs_less_and_has_no_color(test_images: TextImages) -> None:
    sizes = {}
    for grey in (True, False):
        codec = ClassicalCodec(grey=grey, divisor=1, quality=30)
        files = [codec.encode(image) for image in test_images.images]
        sizes[grey] = sum(map(len, files))
        restored = codec.decode(files[0], 256, 64)
        assert (restored[..., 0] == restored[..., 2]).all() == grey
    assert sizes[True] < sizes[False]


def test_a_classical_codec_is_measured_on_whole_files(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    codec = ClassicalCodec(grey=True, divisor=2, quality=50)
    point = evaluate_classical(codec, recognizer, test_images)
    files = [codec.encode(image) for image in test_images.images]
    assert point.bpp == pytest.approx(8 * sum(map(len, files)) / (len(files) * 64 * 256))
    restored = np.stack([codec.decode(file, 256, 64) for file in files])
    images = [image.astype(np.float32) for image in restored]
    assert len(images) == len(test_images.texts)
    assert mean_accuracy(test_images.texts, test_images.texts) >= point.accuracy > 0
    assert point.bpp_payload is None
