"""TinyLIC computes what the published network does, and decodes what it computes."""

import formula
import pytest
import torch
from torch import Tensor

from models.codecs.tinylic import TinyLIC

COMPUTED = {
    (32, 40, 256): (-6.330740, 339.48941, -2.811715, 164.22495, -4.186052, -0.433692, 1355.1401, 172567.6),
    (128, 320, 192): (0.020477, 806.53888, 4.323272, 264.40894, -0.725434, -0.520633, 3229.6816, 1077358.5),
}
"""By the published implementation's fallback without its CUDA extension, which needs 192 pixels a side; weights and
image by formula: an element of y and y's norm, the same of z, two elements of x_hat and its norm, and y's bits. By N, M
and the image's width."""


def filled(N: int, M: int, gain: float = 0.5) -> TinyLIC:
    network = TinyLIC(N, M).eval()
    ours = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(("entropy_b", "gau"))}
    formula.fill(ours, gain)
    return network


def picture(width: int) -> Tensor:
    waves = (torch.linspace(0, 12, width).expand(1, 3, 192, width) + torch.arange(3).view(1, 3, 1, 1)).sin()
    return 0.5 + 0.3 * waves + formula.uniform((1, 3, 192, width), 1, 0.2)


@pytest.mark.parametrize(("N", "M", "width"), COMPUTED)
@torch.no_grad()
def test_tinylic_computes_what_the_published_network_does(N: int, M: int, width: int) -> None:
    network, x = filled(N, M), picture(width)
    y = network.g_a(x)
    z = network.h_a(y)
    output = network(x)
    bits = -output.likelihoods["y"].log2().sum()
    found = (
        *(y[0, 3, 2, 5], y.norm(), z[0, 1, 0, 0], z.norm()),
        *(output.x_hat[0, 0, 10, 20], output.x_hat[0, 2, -1, -1], output.x_hat.norm(), bits),
    )
    assert [value.item() for value in found] == pytest.approx(COMPUTED[N, M, width], rel=1e-4, abs=1e-4)


def test_tinylic_has_the_published_keys_and_size() -> None:
    with torch.device("meta"):
        network = TinyLIC()
    keys = network.state_dict().keys()
    assert len(keys) == 530
    assert sum(parameter.numel() for parameter in network.parameters()) == 28_338_211
    assert keys >= {
        *(
            "g_a0.weight",
            "g_a5.residual_group.blocks.5.attn.rpb",
            "g_s7.bias",
            "h_s2.residual_group.blocks.1.norm2.bias",
        ),
        *("sc_transform_5.mask", "entropy_parameters_4.4.weight", "cc_transforms.3.4.bias"),
    }


def test_published_checkpoints_load() -> None:
    """Theirs name the parameters of z's prior as CompressAI did before version 1.2.7."""
    network = TinyLIC(32, 40)
    renamed = {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"}
    published = {}
    for name, tensor in network.state_dict().items():
        for new, old in renamed.items():
            name = name.replace(f"entropy_bottleneck.{new}", f"entropy_bottleneck.{old}")
        published[name] = tensor + 1
    assert "entropy_bottleneck._matrix0" in published
    other = TinyLIC(32, 40)
    other.load_state_dict(published, strict=True)
    assert torch.equal(other.entropy_bottleneck.matrices[0], network.entropy_bottleneck.matrices[0] + 1)


@pytest.mark.parametrize("shape", [(64, 256), (64, 64), (128, 192)])
@torch.no_grad()
def test_decoding_gives_what_the_forward_pass_gave(shape: tuple[int, int]) -> None:
    network = filled(32, 40, gain=0.2)
    network.update_tables()
    x = picture(256)[:, :, : shape[0], : shape[1]].contiguous()
    stream = network.compress(x)
    output = network(x)
    assert torch.equal(network.decompress(stream, *shape), output.x_hat.clamp(0, 1))
    bits = sum(-values.log2().sum().item() for values in output.likelihoods.values())
    # What an untrained network finds next to impossible costs less as an escape than its likelihood says.
    assert 8 * len(stream) < 1.03 * bits + 64


def test_training_reaches_every_weight_that_a_pass_sees() -> None:
    torch.manual_seed(0)
    network = TinyLIC(32, 40).train()
    output = network(torch.rand(2, 3, 64, 128))
    rates = (values.log2().sum() for values in output.likelihoods.values())
    torch.stack([*rates, output.x_hat.square().sum()]).sum().backward()
    idle = {name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None}
    assert not idle
    for number in range(1, 6):
        context = network.get_submodule(f"sc_transform_{number}")
        assert isinstance(context, torch.nn.Conv2d)
        assert context.weight.grad is not None
        assert torch.equal(context.weight.grad != 0, context.get_buffer("mask") != 0)
