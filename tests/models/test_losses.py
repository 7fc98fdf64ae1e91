import pytest
import torch

from models import losses
from models.codecs.base import CodecOutput
from models.losses import LossWeights
from models.recognizers.ctc_attention import CtcRecognizer


@pytest.fixture
def output() -> CodecOutput:
    torch.manual_seed(0)
    likelihoods = {"y": torch.full((2, 3, 4, 16), 0.5), "z": torch.full((2, 1, 1, 4), 0.25)}
    return CodecOutput(torch.rand(2, 3, 64, 256), likelihoods)


def test_rate_counts_the_bits_of_both_latents(output: CodecOutput) -> None:
    assert losses.bits_per_pixel(output.likelihoods, 100).tolist() == pytest.approx([2.0, 2.0])


def test_distortion_is_the_mean_over_pixels_and_channels() -> None:
    zeros = torch.zeros(1, 3, 2, 2)
    assert losses.mean_squared_error(zeros + 0.5, zeros).tolist() == [0.25]


def test_the_objective_is_the_weighted_sum(output: CodecOutput, recognizer: CtcRecognizer) -> None:
    images = torch.rand(2, 3, 64, 256)
    terms = losses.objective(output, images, ["one", "two"], recognizer, LossWeights(0.5, 0.01, 0.1))
    assert terms.ocr is not None
    assert torch.allclose(terms.total, 0.5 * terms.mse + 0.01 * terms.bpp + 0.1 * terms.ocr)


def test_each_image_may_have_weights_of_its_own(output: CodecOutput, recognizer: CtcRecognizer) -> None:
    images = torch.rand(2, 3, 64, 256)
    rates = torch.tensor([0.01, 0.1])
    terms = losses.objective(output, images, ["one", "two"], recognizer, LossWeights(1.0, rates, rates))
    assert terms.ocr is not None
    assert torch.allclose(terms.total, terms.mse + rates * (terms.bpp + terms.ocr))
    assert torch.allclose(terms.scaled * 2 * rates, terms.total)


def test_without_a_recognizer_no_text_is_read(output: CodecOutput) -> None:
    images = torch.rand(2, 3, 64, 256)
    terms = losses.objective(output, images, ["é", "é"], None, LossWeights(1.0, 0.01, 0.1))
    assert terms.ocr is None
    assert torch.allclose(terms.total, terms.mse + 0.01 * terms.bpp)
    assert torch.allclose(terms.scaled, terms.total / 0.01)


def test_clean_renderings_ask_for_the_text_alone(output: CodecOutput) -> None:
    images, clean = torch.rand(2, 3, 64, 256), torch.rand(2, 1, 64, 256)
    terms = losses.objective(output, images, ["", ""], None, LossWeights(0.0, 0.01, 0.1, 0.2), clean=clean)
    assert terms.text is not None
    assert torch.allclose(terms.text, (output.x_hat - clean).square().mean((1, 2, 3)))
    assert torch.allclose(terms.total, 0.2 * terms.text + 0.01 * terms.bpp)
