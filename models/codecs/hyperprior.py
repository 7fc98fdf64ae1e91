"""Codecs whose z tells of all of y at once."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs import entropy_models
from models.codecs.base import Codec, CodecOutput
from models.codecs.entropy_coder import Decoder, Latent
from models.codecs.entropy_models import Bottleneck, Gaussian, Prior


class MeanScaleHyperprior(Codec):
    """Minnen et al., "Joint autoregressive and hierarchical priors for learned image compression" (NeurIPS
    2018), without the autoregressive part.

                      y
        x --> g_a --> + --> h_a --> z --> EB --> z_hat --> h_s --> scales, means
                      |                                                  |
                      + ----------------------> GC <-------------------- +
                                                |
                                                + --> y_hat --> g_s --> x_hat

    Its transforms may run in bfloat16 under autocast; its entropy models always run in float32. Latents y and z share
    one entropy-coded stream.
    """

    def __init__(
        self, *, g_a: nn.Module, g_s: nn.Module, h_a: nn.Module, h_s: nn.Module, N: int, downsampling_factor: int = 64
    ) -> None:
        """`N` is the number of z's channels, `downsampling_factor` the pixels a side of one element of z."""
        super().__init__(downsampling_factor)
        self.entropy_bottleneck = Bottleneck(N)
        self.gaussian_conditional = Gaussian()
        self.g_a, self.g_s, self.h_a, self.h_s = g_a, g_s, h_a, h_s

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""
        y = self.g_a(x)
        z = self.hyper_analysis(y)
        z_hat, z_likelihoods = self.entropy_bottleneck(z, prior)
        scales, means = self.hyper_synthesis(z_hat)
        y_hat, y_likelihoods = self.gaussian_conditional(y, scales, means)
        x_hat = self.g_s(y_hat)
        return CodecOutput(x_hat.float(), {"y": y_likelihoods, "z": z_likelihoods})

    def coded(self, x: Float[Tensor, "1 3 h w"]) -> list[Latent]:
        """The latents of one image as they are written: z, then y."""
        y = self.g_a(x)
        z = self.entropy_bottleneck.coded(self.hyper_analysis(y))
        scales, means = self.hyper_synthesis(z.symbols + self.entropy_bottleneck.medians)
        return [z, self.gaussian_conditional.coded(y, scales, means)]

    def decoded(self, decoder: Decoder, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction of the next image of a stream."""
        factor = self.downsampling_factor
        z_hat = self.entropy_bottleneck.decoded(decoder, height // factor, width // factor)
        scales, means = self.hyper_synthesis(z_hat)
        return self.g_s(self.gaussian_conditional.decoded(decoder, scales, means))

    def hyper_analysis(self, y: Float[Tensor, "b m h w"]) -> Float[Tensor, "b n h2 w2"]:
        """z, by h_a."""
        return self.h_a(y)

    def hyper_synthesis(self, z_hat: Float[Tensor, "b n h w"]) -> tuple[Tensor, Tensor]:
        """Scales and means of y, by h_s; the same for the encoder and the decoder."""
        scales, means = self._h_s(z_hat).chunk(2, 1)
        return scales, means

    def _h_s(self, z_hat: Float[Tensor, "b n h w"]) -> Float[Tensor, "b _c h2 w2"]:
        return self.h_s(z_hat) if self.training else entropy_models.exactly(self.h_s, z_hat)


class ScaleHyperprior(MeanScaleHyperprior):
    """Balle et al., "Variational image compression with a scale hyperprior" (ICLR 2018): y's Gaussians are about 0.

                  y
    x --> g_a --> + --> |y| --> h_a --> z --> EB --> z_hat --> h_s --> scales
                  |                                                      |
                  + --------------------------> GC <-------------------- +
                                                |
                                                + --> y_hat --> g_s --> x_hat
    """

    def hyper_analysis(self, y: Float[Tensor, "b m h w"]) -> Float[Tensor, "b n h2 w2"]:
        """z, by h_a from the absolute values of y."""
        return self.h_a(y.abs())

    def hyper_synthesis(self, z_hat: Float[Tensor, "b n h w"]) -> tuple[Tensor, Tensor]:
        """Scales of y by h_s, and means that are 0."""
        scales = self._h_s(z_hat)
        return scales, torch.zeros_like(scales)
