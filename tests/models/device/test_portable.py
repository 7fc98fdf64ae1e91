"""What stands for an operation gives what it does."""

import pytest
import torch
import torch.nn.functional as F
from miniatures import MINIATURES, spread_out
from torch import Tensor, nn

from models.codecs.entropy_models import exactly
from models.device import export
from models.device.portable import Portable


@pytest.mark.parametrize(
    "network",
    [
        nn.Conv2d(3, 5, 3, padding=1),
        nn.Conv2d(3, 5, (1, 3), padding=(2, 0), bias=False),
        nn.ConvTranspose2d(3, 5, 5, stride=2, padding=2, output_padding=1),
        nn.ConvTranspose2d(3, 5, 4, stride=4),
        nn.LeakyReLU(0.2),
    ],
    ids=str,
)
@torch.no_grad()
def test_networks_give_the_same_in_float64_up_to_the_order_of_sums(network: nn.Module) -> None:
    x = torch.randn(2, 3, 6, 7)
    expected = exactly(network, x)
    with Portable():
        assert torch.allclose(exactly(network, x), expected, rtol=0, atol=1e-6)
        assert torch.equal(network(x), network.forward(x))


def test_a_convolution_that_nothing_stands_for_is_refused() -> None:
    x = torch.zeros(1, 4, 8, 8)
    for network in (nn.Conv2d(4, 4, 3, stride=2), nn.ConvTranspose2d(4, 4, 3, groups=2)):
        with Portable(), pytest.raises(NotImplementedError):
            exactly(network, x)


@pytest.mark.parametrize("count", [1, 6, 7, 8, 127])
def test_a_place_among_sorted_numbers_is_found(count: int) -> None:
    boundaries = torch.arange(float(count))
    x = torch.tensor([-1.0, 0.0, 0.5, 3.0, 6.5, 126.0, 1e9])
    with Portable():
        found = torch.bucketize(x, boundaries)
    assert torch.equal(found, torch.bucketize(x, boundaries))


@pytest.mark.parametrize("name", export.CODECS)
@torch.no_grad()
def test_a_codec_codes_alike(name: str) -> None:
    torch.manual_seed(0)
    codec = MINIATURES[name]().eval()
    spread_out(codec)
    codec.update_tables()
    x = F.interpolate(torch.rand(1, 3, 8, 16), scale_factor=8)
    expected = codec.coded(x)
    with Portable():
        latents = codec.coded(x)
    assert max(latent.symbols.abs().max() for latent in expected) > 0
    assert all(map(torch.equal, _tensors(latents), _tensors(expected)))


def _tensors(latents) -> list[Tensor]:
    return [tensor for latent in latents for tensor in latent[:2]]
