"""The coder of latents and the prior that differs from image to image."""

import pytest
import torch

from models import entropy
from models.entropy import Bottleneck, Prior


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
    coded = [(latents, bottleneck.build_indexes(latents), bottleneck) for latents in (first, second)]
    decoder = entropy.Decoder(entropy.encode(*coded))
    for latents, indexes, model in coded:
        assert torch.equal(decoder.take(indexes, model), latents)


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
