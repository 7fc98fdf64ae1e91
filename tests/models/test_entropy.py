"""The coder of latents and the prior that differs from image to image."""

import pytest
import torch
from compressai.entropy_models import GaussianConditional
from compressai.models.base import get_scale_table

from models import entropy
from models.base import LARGEST_SCALE
from models.entropy import Bottleneck, Gaussian, Latent, Prior


@pytest.mark.parametrize("state", [b"12345678", b"1234567\0", b"123456\0\0", b"12345\0\0\0", b"1234\0\0\0\0"])
@pytest.mark.parametrize("rest", [b"", b"abcd", b"\0\0\0\0"])
def test_a_trimmed_stream_is_made_whole_again(state: bytes, rest: bytes) -> None:
    trimmed = entropy._trimmed(state + rest)
    assert entropy._whole(trimmed) == state + rest
    assert len(trimmed) == len(state + rest) - min(3, state.count(b"\0"))


def test_several_latents_share_a_stream_in_their_order() -> None:
    bottleneck = Bottleneck(3)
    bottleneck.update(update_quantiles=True)
    first, second = torch.randint(-4, 5, (1, 3, 2, 2)).float(), torch.randint(-90, 91, (1, 3, 1, 4)).float()
    gaussian = Gaussian()
    gaussian.update_scale_table(get_scale_table(max=LARGEST_SCALE))
    scales = torch.rand(1, 5, 2, 2) * 80
    third = (torch.randn(1, 5, 2, 2) * scales).round()
    coded = [Latent(latents, bottleneck.build_indexes(latents), bottleneck) for latents in (first, second)]
    coded += [Latent(third, gaussian.build_indexes(scales), gaussian), coded[0]]
    decoder = entropy.Decoder(entropy.encode(*coded), 64)
    for latents, indexes, model in coded:
        assert torch.equal(decoder.take(indexes, model), latents)
    decoder.close()


def test_a_scale_has_the_table_that_compressai_gives_it() -> None:
    gaussian = Gaussian()
    gaussian.update_scale_table(get_scale_table(max=LARGEST_SCALE))
    table = gaussian.scale_table
    scales = torch.cat([table, table * 1.0001, table * 0.9999, torch.tensor([0.0, -1.0, 1e9])]).reshape(1, 1, 1, -1)
    assert torch.equal(gaussian.build_indexes(scales), GaussianConditional.build_indexes(gaussian, scales).long())


@pytest.mark.parametrize("scale", [0.02, 1.0, 500.0])
def test_a_folded_prior_is_the_prior_of_its_image(scale: float) -> None:
    torch.manual_seed(0)
    bottleneck = Bottleneck(3).eval()
    prior = Prior(torch.full((1, 3), scale), torch.tensor([[-0.3, 0.0, 0.3]]))
    z = torch.zeros(1, 3, 2, 2)
    with torch.no_grad():
        expected = bottleneck.under(prior, z)[1]
        bottleneck.fold(Prior(*(value[0] for value in prior)))
        found = bottleneck.under(None, z)[1]
    assert found.isfinite().all()
    assert torch.allclose(found, expected, rtol=1e-3)
