"""The simplest codec: every channel of y has a distribution of its own, and nothing tells of it."""

from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.base import Codec, CodecOutput
from models.codecs.entropy_coder import Decoder, Latent
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

    def coded(self, x: Float[Tensor, "1 3 h w"]) -> list[Latent]:
        """The latents of one image as they are written: y alone."""
        return [self.entropy_bottleneck.coded(self.g_a(x))]

    def decoded(self, decoder: Decoder, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction of the next image of a stream."""
        factor = self.downsampling_factor
        return self.g_s(self.entropy_bottleneck.decoded(decoder, height // factor, width // factor))
