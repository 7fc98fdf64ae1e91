"""english_g2 reads as EasyOCR does, stays as it is, and teaches whoever drew the image."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from datagen.render import render
from datagen.spec import DatasetSpec
from models import metrics
from models.errors import ModelError, WeightsError
from models.files import pixels
from models.recognizers import ctc_attention
from models.recognizers import registry as recognizers
from models.recognizers.ctc_attention import CtcRecognizer

EASYOCR_READ = [
    "sea-legs",
    "LkoPeqcJoggv",
    " misdirecting",
    "   Z7hqo",
    "901703949#",
    "~PELES",
    "ht,z VFqn'z`",
    "Ineffective",
    "Guruships ",
    "UNIFICATIONS",
    "~ Aginners",
    "athetosis",
    "~CENSE",
    " Ungathered",
    "UnFy bu?d-Jkeu",
    "~ subfractions",
    "K'dF9c",
    "#BXdn",
    "#FgiFh JoUNF",
    "~0987",
    "NaWVT",
    "~5240",
    " bbCWxo' /",
    "~Whey-face",
]
"""What EasyOCR 1.7.2 itself read in the default test split's first samples: grey, `Reader(quantize=False).recognize`
with contrast_ths=0."""


@pytest.fixture(scope="module")
def samples() -> list[tuple[np.ndarray, str]]:
    rendered = [render(DatasetSpec(), "test", index) for index in range(len(EASYOCR_READ))]
    return [(_grey(sample.image), sample.text) for sample in rendered]


def _grey(file: bytes) -> np.ndarray:
    """As EasyOCR sees it: Pillow's rounding can decide between two letters."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("L").convert("RGB"))


def test_english_g2_reads_what_easyocr_reads(recognizer: CtcRecognizer, samples: list) -> None:
    read = [recognizer.read(pixels.to_float(image))[0].text for image, _ in samples]
    assert read == EASYOCR_READ


def test_preprocessing_is_easyocrs(recognizer: CtcRecognizer, samples: list) -> None:
    """EasyOCR: Pillow's grey, 64 pixels high, (x - 0.5) / 0.5."""
    for image, _ in samples:
        published = (torch.tensor(np.asarray(Image.fromarray(image).convert("L"))) / 255 - 0.5) / 0.5
        ours = ctc_attention.line(pixels.to_float(image), recognizer.height)[0, 0]
        assert (ours - published).abs().max() < 1.01 / 127.5, "one grey level: Pillow rounds, we do not"


def test_english_g2_reads_trdg_images_well(recognizer: CtcRecognizer, samples: list) -> None:
    read = [recognizer.read(pixels.to_float(image))[0].text for image, _ in samples]
    assert metrics.mean_accuracy(read, [text for _, text in samples]) > 0.7


def test_images_of_another_height_are_scaled(recognizer: CtcRecognizer, samples: list) -> None:
    image, _ = samples[0]
    larger = np.asarray(Image.fromarray(image).resize((512, 128), Image.Resampling.BICUBIC))
    assert recognizer.read(pixels.to_float(larger))[0].text == "sea-legs"


@pytest.mark.parametrize("width", [1, 7])
def test_the_narrowest_images_are_read(recognizer: CtcRecognizer, width: int) -> None:
    assert len(recognizer.read(torch.rand(1, 3, recognizer.height, width))) == 1


def test_images_of_the_height_that_is_read_are_not_scaled(recognizer: CtcRecognizer) -> None:
    images = torch.rand(1, 3, recognizer.height, 250)
    red, green, blue = images.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)
    assert torch.equal(recognizer(images), recognizer.network((grey - 0.5) / 0.5))
    for width in range(8, 250):
        assert ctc_attention.line(images[..., :width], recognizer.height).shape[3] == width


def test_the_frozen_recognizer_still_teaches_the_codec(recognizer: CtcRecognizer) -> None:
    image = torch.rand(2, 3, 64, 256, requires_grad=True)
    recognizer.loss(image, ["word", "Text"]).mean().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in recognizer.parameters())


def test_english_g2_stays_in_evaluation_mode(recognizer: CtcRecognizer) -> None:
    before = {name: tensor.clone() for name, tensor in recognizer.state_dict().items()}
    recognizer.train()
    recognizer(torch.rand(2, 3, 64, 256))
    assert not any(module.training for module in recognizer.modules() if not isinstance(module, nn.LSTM))
    assert all(torch.equal(before[name], tensor) for name, tensor in recognizer.state_dict().items())


def test_the_loss_is_lower_for_the_true_text(recognizer: CtcRecognizer, samples: list) -> None:
    image = pixels.to_float(samples[11][0])
    right, wrong = recognizer.loss(image.expand(2, -1, -1, -1), ["athetosis", "something"])
    assert right < 0.1 < wrong


def test_parameters_are_the_published_networks(recognizer: CtcRecognizer) -> None:
    assert sum(parameter.numel() for parameter in recognizer.parameters()) == 3_781_345


def test_decoding_merges_repeats_and_drops_blanks(recognizer: CtcRecognizer) -> None:
    assert recognizer.decode([0, 3, 3, 0, 3, 5, 5, 0]) == [3, 3, 5]
    assert recognizer.decode([]) == []


def test_unknown_characters_are_named(recognizer: CtcRecognizer) -> None:
    with pytest.raises(ModelError, match="'é'"):
        recognizer.encode("café")


def test_unknown_recognizers_are_named() -> None:
    with pytest.raises(ModelError, match=r"nosuch.*english_g2"):
        recognizers.load("nosuch")


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "english_g2.pth"
    shutil.copy(recognizers._english_g2_path(), copy)
    with copy.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    with pytest.raises(WeightsError, match="differs from the published weights"):
        recognizers.load_weights(copy, recognizers.ENGLISH_G2_SHA256)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        recognizers.load_weights(tmp_path / "none.pth", recognizers.ENGLISH_G2_SHA256)


def test_empty_texts_have_a_loss(recognizer: CtcRecognizer) -> None:
    losses = recognizer.loss(torch.rand(2, 3, 64, 128), ["", ""])
    assert losses.isfinite().all()


def test_a_smaller_size_is_read_with_fewer_steps(recognizer: CtcRecognizer) -> None:
    images = torch.rand(1, 3, 64, 256)
    assert [recognizer(images, scale).shape[1] for scale in (1.0, 0.75, 0.5)] == [63, 47, 31]
    assert recognizer.loss(images, ["word"], 0.5).isfinite().all()
