"""CompressAI's networks as codecs, with its layers and their names: checkpoints of theirs load as they are."""

from collections.abc import Iterator, Sequence
from typing import cast

import torch.nn.functional as F
from compressai import models as published
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.autoregressive import Autoregressive
from models.codecs.checkerboard import EVEN, ODD, SpatialContext
from models.codecs.elic import Elic
from models.codecs.entropy_models import Bottleneck, Gaussian
from models.codecs.factorized import Factorized
from models.codecs.hyperprior import MeanScaleHyperprior, ScaleHyperprior

SLICES = (16, 16, 32, 64, 192)
"""Channels of each slice of ELIC's y."""


class Pointwise(nn.Conv2d):
    """A strided convolution of 1x1 elements, which thins its input out first.

    As torch 2.15 computes one on a CPU, in float32 and channels_last, the backward pass writes beyond its memory if
    channels are few: cheng2020's from pixels.
    """

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        """What nn.Conv2d gives."""
        rows, columns = self.stride
        return F.conv2d(input[:, :, ::rows, ::columns], self.weight, self.bias)


def factorized(N: int = 128, M: int = 192) -> Factorized:
    """bmshj2018-factorized, of the size of CompressAI's qualities 1 to 5."""
    network = published.FactorizedPrior(N, M)
    return Factorized(g_a=network.g_a, g_s=network.g_s, M=M)


def hyperprior(N: int = 128, M: int = 192) -> ScaleHyperprior:
    """bmshj2018-hyperprior, of the size of CompressAI's qualities 1 to 5."""
    network = published.ScaleHyperprior(N, M)
    return ScaleHyperprior(g_a=network.g_a, g_s=network.g_s, h_a=network.h_a, h_s=network.h_s, N=N)


def mbt2018_mean(N: int = 128, M: int = 192) -> MeanScaleHyperprior:
    """mbt2018-mean, of the size of CompressAI's qualities 1 to 4."""
    network = published.MeanScaleHyperprior(N, M)
    return MeanScaleHyperprior(g_a=network.g_a, g_s=network.g_s, h_a=network.h_a, h_s=network.h_s, N=N)


def mbt2018(N: int = 192, M: int = 192) -> Autoregressive:
    """mbt2018, of the size of CompressAI's qualities 1 to 4."""
    return _autoregressive(published.JointAutoregressiveHierarchicalPriors(N, M))


def cheng2020_anchor(N: int = 128) -> Autoregressive:
    """cheng2020-anchor, of the size of CompressAI's qualities 1 to 3 (Cheng et al., "Learned image compression with
    discretized Gaussian mixture likelihoods and attention modules", CVPR 2020).
    """
    return _autoregressive(published.Cheng2020Anchor(N))


def cheng2020_attn(N: int = 128) -> Autoregressive:
    """cheng2020-attn, the anchor with attention modules, of the size of CompressAI's qualities 1 to 3."""
    return _autoregressive(published.Cheng2020Attention(N))


def elic(N: int = 192, M: int = 320, slices: Sequence[int] = SLICES) -> Elic:
    """elic2022-official; CompressAI publishes no weights of it."""
    network = published.Elic2022Official(N, M, slices)
    latent_codec = network.latent_codec
    latent_codec.set_submodule("hyper.entropy_bottleneck", Bottleneck(N))
    for index, channels in enumerate(slices):
        name = f"y.latent_codec.y{index}"
        latent_codec.set_submodule(f"{name}.context_prediction", SpatialContext(channels, EVEN, ODD))
        latent_codec.set_submodule(f"{name}.y.gaussian_conditional", Gaussian())
    return Elic(network.g_a, network.g_s, latent_codec, slices)


def _autoregressive(network: published.JointAutoregressiveHierarchicalPriors) -> Autoregressive:
    for name, layer in list(cast("Iterator[tuple[str, nn.Module]]", network.named_modules())):
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.stride == (2, 2):
            network.set_submodule(name, Pointwise(layer.in_channels, layer.out_channels, 1, stride=2))
    return Autoregressive(
        g_a=network.g_a,
        g_s=network.g_s,
        h_a=network.h_a,
        h_s=network.h_s,
        entropy_parameters=network.entropy_parameters,
        N=network.N,
        M=network.M,
    )
