"""The conditioned codec and the plain ones that it folds into."""

import math

import pytest
import torch
from miniatures import MINIATURES
from torch import Tensor

from datagen.dataset import TextImages, to_tensor
from models.codecs.conditioning import Condition, ConditionedCodec, Plane
from models.losses import bits_per_pixel

PLANE = Plane(rate_weights=(0.01, 0.2), ocr_weights=(0.001, 0.3))
CORNERS = [(0.01, 0.0), (0.2, 0.0), (0.01, 0.001), (0.05, 0.02), (0.2, 0.3)]


def conditions(*pairs: tuple[float, float]) -> Condition:
    return Condition(*(torch.tensor(values) for values in zip(*pairs, strict=True)))


def moved(name: str) -> ConditionedCodec:
    """A conditioned codec whose modulation is far from identity."""
    torch.manual_seed(0)
    network = ConditionedCodec(MINIATURES[name](), PLANE).eval()
    torch.nn.init.normal_(network.modulation.weight, std=0.1)
    network.codec.update_tables()
    return network


@pytest.fixture
def images(test_images: TextImages) -> Tensor:
    return to_tensor(test_images.images[: len(CORNERS)])


@pytest.mark.parametrize("name", MINIATURES)
def test_a_fresh_one_is_its_codec_whatever_the_condition(name: str, images: Tensor) -> None:
    codec = MINIATURES[name]().eval()
    network = ConditionedCodec(codec, PLANE)
    with torch.no_grad():
        plain, conditioned = codec(images), network(images, conditions(*CORNERS))
    assert torch.allclose(plain.x_hat, conditioned.x_hat, atol=1e-5)
    for latent, likelihoods in plain.likelihoods.items():
        assert torch.allclose(likelihoods, conditioned.likelihoods[latent], atol=1e-5)


@pytest.mark.parametrize("name", MINIATURES)
def test_a_folded_codec_equals_the_conditioned_one(name: str, images: Tensor) -> None:
    network = moved(name)
    for pair in CORNERS:
        folded = network.fold(*pair)
        # Rounding is about the medians, which each fold finds anew.
        network.codec.bottleneck.quantiles.data.copy_(folded.bottleneck.quantiles)
        with torch.no_grad():
            expected, found = network(images[:1], conditions(pair)), folded(images[:1])
        assert torch.allclose(found.x_hat, expected.x_hat, atol=2e-5), pair
        rates = [bits_per_pixel(output.likelihoods, 64 * 256) for output in (expected, found)]
        assert torch.allclose(*rates, rtol=1e-4), pair


@pytest.mark.parametrize("rate_weights", [(0.001, 0.9), (0.05, 0.05)])
def test_over_another_range_it_does_at_each_lambda_what_it_did(
    rate_weights: tuple[float, float], images: Tensor
) -> None:
    network, there = moved("small"), conditions((0.05, 0.0))
    with torch.no_grad():
        expected = network(images[:1], there).x_hat
        found = network.over(Plane(rate_weights=rate_weights, ocr_weights=(0.1, 0.2)))(images[:1], there).x_hat
    assert torch.allclose(found, expected, atol=2e-5)


def test_each_image_of_a_batch_has_its_own_condition(images: Tensor) -> None:
    network = moved("small")
    with torch.no_grad():
        together = network(images, conditions(*CORNERS))
        alone = [network(image[None], conditions(pair)) for image, pair in zip(images, CORNERS, strict=True)]
    assert torch.allclose(together.x_hat, torch.cat([output.x_hat for output in alone]), atol=2e-5)
    for latent in "yz":
        single = torch.cat([output.likelihoods[latent] for output in alone])
        assert torch.allclose(together.likelihoods[latent], single, atol=1e-4)


def test_conditions_give_different_codecs_that_code_what_they_say(images: Tensor) -> None:
    network = moved("small")
    folded = [network.fold(*pair) for pair in CORNERS]
    streams = [codec.compress(images[:1]) for codec in folded]
    assert len(set(streams)) == len(CORNERS)
    for codec, stream in zip(folded, streams, strict=True):
        with torch.no_grad():
            assert torch.allclose(codec.decompress(stream, 64, 256), codec(images[:1]).x_hat.clamp(0, 1), atol=1e-5)


def test_a_prior_as_narrow_as_a_collapsed_training_leaves_it_folds() -> None:
    network = moved("small")
    with torch.no_grad():
        channels = network.codec.bottleneck.channels
        network.modulation.bias[-2 * channels : -channels] = math.log(500)
    codec = network.fold(0.05, 0.02)
    assert codec.decompress(codec.compress(torch.zeros(1, 3, 64, 64)), 64, 64).isfinite().all()


def test_the_modulation_leaves_no_trace_in_the_codec(images: Tensor) -> None:
    network = moved("small")
    with torch.no_grad():
        before = network.codec(images).x_hat
        network(images, conditions(*CORNERS))
        network.fold(0.05, 0.02)
        assert torch.equal(network.codec(images).x_hat, before)


@pytest.mark.parametrize("name", MINIATURES)
def test_every_part_learns(name: str, images: Tensor) -> None:
    network = ConditionedCodec(MINIATURES[name](), PLANE).train()
    parts = images[:, :, :, :64].contiguous(memory_format=torch.channels_last)
    output = network(parts, conditions(*CORNERS))
    (output.x_hat.square().mean() + bits_per_pixel(output.likelihoods, 64 * 64).mean()).backward()
    assert network.modulation.weight.grad is not None
    assert (network.modulation.weight.grad.abs().sum(1) > 0).float().mean() > 0.8


def test_draws_fill_the_rectangle_evenly() -> None:
    torch.manual_seed(0)
    drawn = PLANE.draw(4_000, torch.device("cpu"), with_ocr=True)
    features = PLANE.features(drawn)
    assert features[:, :2].abs().max() <= 1 + 1e-5
    assert torch.allclose(features[:, :2].mean(0), torch.zeros(2), atol=0.05)
    assert features[:, 2].eq(1).all()


def test_without_ocr_beta_tells_nothing() -> None:
    drawn = PLANE.draw(8, torch.device("cpu"), with_ocr=False)
    assert drawn.ocr_weight.eq(0).all()
    assert PLANE.features(drawn)[:, 1:].eq(0).all()


@pytest.mark.parametrize("beta", [0.1, 0.032, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_weight_of_one_value_is_no_feature(beta: float, dtype: torch.dtype) -> None:
    one = Plane(rate_weights=(beta, beta), ocr_weights=(beta, beta))
    drawn = one.draw(4, torch.device("cpu"), with_ocr=True)
    given = Condition(*(torch.full((4,), beta, dtype=dtype) for _ in range(2)))
    for condition in (drawn, given):
        assert one.features(condition).tolist() == [[0.0, 0.0, 1.0]] * 4
