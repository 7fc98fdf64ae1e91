import pytest
import torch

from datagen.dataset import TextImages, to_tensor
from models.codecs import registry as codecs
from models.codecs import small
from models.errors import ModelError
from models.files.model import TrainedCodec
from models.losses import bits_per_pixel

SIZES = {
    "small": 347_139,
    "factorized": 2_998_147,
    "hyperprior": 5_075_843,
    "mbt2018-mean": 7_028_003,
    "mbt2018": 14_130_467,
    "cheng2020-anchor": 11_833_149,
    "cheng2020-attn": 13_183_293,
    "elic": 32_074_200,
    "tinylic": 28_338_211,
}
"""Parameters."""


@pytest.mark.parametrize(("name", "parameters"), SIZES.items())
def test_a_codec_has_its_size(name: str, parameters: int) -> None:
    assert sum(parameter.numel() for parameter in codecs.build(name).parameters()) == parameters


def test_in_training_the_synthesis_sees_rounded_latents_and_gradients_pass() -> None:
    torch.manual_seed(0)
    codec = small.codec().train()
    seen: list[torch.Tensor] = []
    codec.get_submodule("g_s").register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    codec(x).x_hat.sum().backward()
    z_hat = torch.zeros(1, codec.bottleneck.channels, 1, 1)
    scales, means, _ = codec.step_by_step(z_hat, lambda _, means: means)
    assert scales.shape == means.shape == seen[0].shape
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    with torch.no_grad():
        y = codec.g_a(x)
    assert (seen[0] - y).abs().max() <= 0.5 + 1e-5


def test_decoding_gives_what_the_forward_pass_gave(trained: TrainedCodec, test_images: TextImages) -> None:
    for image in to_tensor(test_images.images[:4]):
        x = image.unsqueeze(0)
        with torch.no_grad():
            forward = trained.codec(x).x_hat.clamp(0, 1)
        stream = trained.codec.compress(x)
        assert torch.equal(trained.codec.decompress(stream, 64, 256), forward)


def test_streams_are_as_long_as_the_likelihoods_say(trained: TrainedCodec, test_images: TextImages) -> None:
    x = to_tensor(test_images.images[:1])
    with torch.no_grad():
        bits = bits_per_pixel(trained.codec(x).likelihoods, 1).item()
    flush_and_rounding = 64 + 0.03 * bits
    assert abs(8 * len(trained.codec.compress(x)) - bits) < flush_and_rounding


def test_likelihoods_stay_float32_under_autocast() -> None:
    codec = codecs.build("small")
    with torch.autocast("cpu", torch.bfloat16):
        output = codec(torch.rand(1, 3, 64, 64))
    assert output.x_hat.dtype == torch.float32
    assert {values.dtype for values in output.likelihoods.values()} == {torch.float32}


def test_latents_far_beyond_the_tables_are_still_coded(trained: TrainedCodec) -> None:
    x = 40 * torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        forward = trained.codec(x).x_hat.clamp(0, 1)
    assert torch.equal(trained.codec.decompress(trained.codec.compress(x), 64, 64), forward)


def test_a_codec_without_tables_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="update_tables"):
        codecs.build("small").eval().compress(torch.rand(1, 3, 64, 64))


def test_unknown_codecs_are_named() -> None:
    with pytest.raises(ModelError, match=r"nosuch.*small, factorized, .*elic, tinylic"):
        codecs.build("nosuch")
