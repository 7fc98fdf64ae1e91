"""CompressAI's networks: they compute what CompressAI computes, under its names, and decode what they compute."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from compressai import models as published
from miniatures import GROUPS, MINIATURES, spread_out
from torch import Tensor

from models.codecs import registry as codecs
from models.codecs.autoregressive import BEFORE, RADIUS, Autoregressive, CausalContext, around, causal_steps
from models.codecs.base import Codec

PUBLISHED: dict[str, Callable[[], Any]] = {
    "factorized": lambda: published.FactorizedPrior(8, 12),
    "hyperprior": lambda: published.ScaleHyperprior(8, 12),
    "mbt2018-mean": lambda: published.MeanScaleHyperprior(8, 12),
    "mbt2018": lambda: published.JointAutoregressiveHierarchicalPriors(8, 12),
    "cheng2020-anchor": lambda: published.Cheng2020Anchor(8),
    "cheng2020-attn": lambda: published.Cheng2020Attention(8),
    "elic": lambda: published.Elic2022Official(16, sum(GROUPS), GROUPS),
}


@pytest.fixture
def x() -> Tensor:
    return torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(0))


def lively(name: str) -> Codec:
    """A small one with coding tables and latents other than 0."""
    torch.manual_seed(0)
    codec = MINIATURES[name]().eval()
    spread_out(codec)
    codec.update_tables()
    return codec


def test_every_codec_has_a_miniature() -> None:
    assert MINIATURES.keys() == codecs.CODECS.keys()


@pytest.mark.parametrize("name", PUBLISHED)
@torch.no_grad()
def test_a_codec_computes_what_compressai_does(name: str, x: Tensor) -> None:
    torch.manual_seed(0)
    network, codec = PUBLISHED[name]().eval(), MINIATURES[name]().eval()
    spread_out(network)
    expected = network(x)
    codec.load_state_dict(network.state_dict(), strict=True)
    found = codec(x)
    parallel = not isinstance(codec, Autoregressive)
    for latent, likelihoods in found.likelihoods.items():
        if parallel or latent == "z":
            assert torch.allclose(likelihoods, expected["likelihoods"][latent], rtol=1e-3)
    if not parallel:
        # Its forward pass rounds otherwise than what it writes.
        network.update()
        expected = network.decompress(**network.compress(x))
    assert torch.allclose(found.x_hat.clamp(0, 1), expected["x_hat"].clamp(0, 1), atol=1e-4)


@pytest.mark.parametrize("shape", [(64, 256), (128, 64)])
@pytest.mark.parametrize("name", PUBLISHED)
def test_decoding_gives_what_the_forward_pass_gave(name: str, shape: tuple[int, int]) -> None:
    codec = lively(name)
    x = torch.rand(1, 3, *shape)
    assert codec.get_submodule("g_a")(x).abs().max() > 2
    decoded = codec.decompress(codec.compress(x), *shape)
    for with_gradients in (False, True):
        with torch.set_grad_enabled(with_gradients):
            assert torch.equal(decoded, codec(x).x_hat.clamp(0, 1))


@pytest.mark.parametrize("name", PUBLISHED)
def test_training_reaches_every_weight(name: str, x: Tensor) -> None:
    codec = lively(name).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = codec(torch.cat([x, x.flip(3)]))
    assert {output.x_hat.dtype, *(values.dtype for values in output.likelihoods.values())} == {torch.float32}
    bits = [-values.log2().sum() for values in output.likelihoods.values()]
    (output.x_hat.square().sum() + torch.stack(bits).sum()).backward()
    assert not [name for name, weight in codec.named_parameters() if weight.requires_grad and weight.grad is None]


def test_a_step_follows_all_that_tells_of_it() -> None:
    height, width = 5, 8
    seen: set[tuple[int, int]] = set()
    for step in causal_steps(height, width, torch.device("cpu")):
        positions = list(zip(step.rows.tolist(), step.columns.tolist(), strict=True))
        near = [(r + row - RADIUS, c + column - RADIUS) for r, c in positions for row, column in BEFORE]
        assert all(position in seen for position in near if position[0] >= 0 and 0 <= position[1] < width)
        assert not seen & set(positions)
        seen |= set(positions)
    assert len(seen) == height * width


@torch.no_grad()
def test_a_context_is_the_same_for_a_map_and_for_a_step() -> None:
    context = CausalContext(4)
    y_hat = torch.randn(2, 4, 4, 8)
    padded = torch.nn.functional.pad(y_hat, [RADIUS] * 4)
    for step in causal_steps(4, 8, y_hat.device):
        assert torch.allclose(context(around(padded, step), context.kernel()), step.of(context(y_hat)), atol=1e-5)


def test_weights_that_a_context_masks_get_no_gradient() -> None:
    codec = lively("mbt2018").train()
    codec(torch.rand(1, 3, 64, 64)).likelihoods["y"].log2().sum().backward()
    context = codec.get_submodule("context_prediction")
    assert isinstance(context, CausalContext)
    assert context.weight.grad is not None
    assert torch.equal(context.weight.grad != 0, context.mask != 0)
