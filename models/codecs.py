"""Image codecs by name: x -> y, z -> bytes -> x_hat."""

from collections.abc import Callable

import torch
from compressai.models import MeanScaleHyperprior as Reference
from jaxtyping import Float
from torch import Tensor, nn

from models import entropy
from models import small as transforms
from models.base import Codec, CodecOutput, rounded
from models.entropy import Prior
from models.errors import ModelError
from models.tinylic import TinyLIC


class MeanScaleHyperprior(Codec):
    """Minnen et al., "Joint autoregressive and hierarchical priors for learned image compression" (NeurIPS
    2018), without the autoregressive part.

    Its transforms may run in bfloat16 under autocast; its entropy models always run in float32. In training the
    synthesis sees y rounded, with the gradient of no rounding, and the entropy models see noise instead (Minnen and
    Singh, "Channel-wise autoregressive entropy models", ICIP 2020). Latents y and z share one entropy-coded stream.
    """

    def __init__(
        self, *, g_a: nn.Module, g_s: nn.Module, h_a: nn.Module, h_s: nn.Module, N: int, downsampling_factor: int = 64
    ) -> None:
        """`N` is the number of z's channels, `downsampling_factor` the pixels a side of one of its elements."""
        super().__init__(N, downsampling_factor)
        self.g_a, self.g_s, self.h_a, self.h_s = g_a, g_s, h_a, h_s

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_bottleneck.under(prior, self.h_a(y))
        scales, means = self.h_s(z_hat).chunk(2, 1)
        y_hat, y_likelihoods = self.gaussian_conditional.given(y, scales, means)
        if self.training:
            y_hat = rounded((y - means).float()) + means
        return CodecOutput(self.g_s(y_hat).float(), {"y": y_likelihoods, "z": z_likelihoods})

    @torch.no_grad()
    def compress(self, x: Float[Tensor, "1 3 h w"]) -> bytes:
        """The entropy-coded latents of one image."""
        y = self.g_a(x)
        medians = self.entropy_bottleneck.medians
        z_symbols = (self.h_a(y) - medians).round()
        scales, means = self._gaussians(z_symbols + medians)
        return entropy.encode(
            (z_symbols, self.entropy_bottleneck.build_indexes(z_symbols), self.entropy_bottleneck),
            ((y - means).round(), self.gaussian_conditional.build_indexes(scales), self.gaussian_conditional),
        )

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of `downsampling_factor`."""
        decoder = entropy.Decoder(stream)
        medians = self.entropy_bottleneck.medians
        factor = self.downsampling_factor
        z_indexes = self.entropy_bottleneck.build_indexes(medians.expand(1, -1, height // factor, width // factor))
        scales, means = self._gaussians(decoder.take(z_indexes, self.entropy_bottleneck) + medians)
        y_indexes = self.gaussian_conditional.build_indexes(scales)
        return self.g_s(decoder.take(y_indexes, self.gaussian_conditional) + means).clamp(0, 1)

    def _gaussians(self, z_hat: Float[Tensor, "1 c h w"]) -> tuple[Tensor, Tensor]:
        """Scales and means of y, to the last bit the same for the encoder and the decoder: one memory layout."""
        scales, means = self.h_s(z_hat.contiguous()).chunk(2, 1)
        return scales, means


def small() -> MeanScaleHyperprior:
    """Trains on two cores: see `models/small.py`."""
    M, N = 96, 64
    return MeanScaleHyperprior(
        g_a=transforms.analysis(M),
        g_s=transforms.synthesis(M),
        h_a=transforms.hyper_analysis(M, N),
        h_s=transforms.hyper_synthesis(M, N),
        N=N,
    )


def mbt2018_mean() -> MeanScaleHyperprior:
    """7.03 M parameters: CompressAI's size for its five lower rates, with its layers and their names."""
    N, M = 128, 192
    reference = Reference(N, M)
    return MeanScaleHyperprior(g_a=reference.g_a, g_s=reference.g_s, h_a=reference.h_a, h_s=reference.h_s, N=N)


CODECS: dict[str, Callable[[], Codec]] = {"small": small, "mbt2018-mean": mbt2018_mean, "tinylic": TinyLIC}


def build(name: str) -> Codec:
    """A fresh codec; its weights follow torch's global random state.

    Raises:
        ModelError: no codec has that name.
    """
    if name not in CODECS:
        raise ModelError(f"no codec is called {name!r}; there is {', '.join(CODECS)}")
    return CODECS[name]()
