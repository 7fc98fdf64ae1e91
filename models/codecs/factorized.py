"""The simplest codec: every channel of y has a distribution of its own, and nothing tells of it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs import entropy_coder
from models.codecs.base import Codec, CodecOutput
from models.codecs.entropy_models import Bottleneck, Prior


class Factorized(Codec):
    """Balle et al., "Variational image compression with a scale hyperprior" (ICLR 2018), without the hyperprior.

        x --> g_a --> y --> EB --> y_hat --> g_s --> x_hat

    In training the synthesis sees y with noise, as published: where y is rounded to is known after training alone.
    """

    def __init__(self, *, g_a: nn.Module, g_s: nn.Module, M: int) -> None:
        """`M` is the number of y's channels."""
        super().__init__(16)
        self.entropy_bottleneck = Bottleneck(M)
        self.g_a, self.g_s = g_a, g_s

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""
        y = self.g_a(x)
        y_hat, y_likelihoods = self.entropy_bottleneck(y, prior)
        x_hat = self.g_s(y_hat)
        return CodecOutput(x_hat.float(), {"y": y_likelihoods})

    @torch.no_grad()
    def compress(self, x: Float[Tensor, "1 3 h w"]) -> bytes:
        """The entropy-coded latents of one image."""
        y = self.g_a(x)
        return entropy_coder.encode(self.entropy_bottleneck.coded(y))

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of `downsampling_factor`."""
        factor = self.downsampling_factor
        decoder = entropy_coder.Decoder(stream, height * width)
        y_hat = self.entropy_bottleneck.decoded(decoder, height // factor, width // factor)
        decoder.close()
        return self.g_s(y_hat).clamp(0, 1)
