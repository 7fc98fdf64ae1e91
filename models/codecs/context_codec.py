"""Codecs that code y part by part: what is decoded of it tells of the rest."""

from abc import abstractmethod
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from models.codecs import entropy_coder
from models.codecs.base import Codec, CodecOutput, rounded
from models.codecs.entropy_models import Gaussian, Prior

Coder = Callable[[Tensor, Tensor], Tensor]
"""Scales and means of a part -> its y_hat."""


class PartwiseCodec(Codec):
    """What such codecs have in common; each has its own parts.

    Its transforms may run in bfloat16 under autocast; its entropy models always run in float32. In training y is
    rounded with the gradient of no rounding, and the entropy models see noise instead.
    """

    g_s: Callable[..., Tensor]
    """y_hat -> an image."""
    h_a: Callable[..., Tensor]
    """y -> z."""
    h_s: Callable[..., Tensor]
    """z_hat -> features that tell of y."""

    @property
    def gaussian(self) -> Gaussian:
        """What codes y; where a codec has several, they are alike."""
        return next(module for module in self.modules() if isinstance(module, Gaussian))

    @abstractmethod
    def parts(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b _m _h _w"]]:
        """The latents in the order of coding."""

    @abstractmethod
    def decoded(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat: part by part the same for whoever codes, to the last bit."""

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in the likelihoods of training mode. h and w are multiples of 64."""
        y = self.g_a(x)
        z_hat, z_likelihoods = self.bottleneck.under(prior, self.h_a(y))
        scales, means, y_hat = self.latents(y, z_hat)
        _, y_likelihoods = self.gaussian.given(y, scales, means)
        return CodecOutput(self.g_s(y_hat).float(), {"y": y_likelihoods, "z": z_likelihoods})

    def latents(self, y: Float[Tensor, "b m h w"], z_hat: Float[Tensor, "b n h2 w2"]) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat."""
        quantize = rounded if self.training else torch.round
        parts = self.parts(y)
        return self.decoded(z_hat, lambda _, means: quantize((next(parts) - means).float()) + means)

    @torch.no_grad()
    def compress(self, x: Float[Tensor, "1 3 h w"]) -> bytes:
        """The entropy-coded latents of one image."""
        y = self.g_a(x)
        parts, latents = self.parts(y), [self.bottleneck.coded(self.h_a(y))]

        def code(scales: Tensor, means: Tensor) -> Tensor:
            latents.append(self.gaussian.coded(next(parts), scales, means))
            return latents[-1].symbols + means

        self.decoded(latents[0].symbols + self.bottleneck.medians, code)
        return entropy_coder.encode(*latents)

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of 64."""
        decoder, factor = entropy_coder.Decoder(stream, height * width), self.downsampling_factor
        z_hat = self.bottleneck.decoded(decoder, height // factor, width // factor)
        _, _, y_hat = self.decoded(z_hat, lambda scales, means: self.gaussian.decoded(decoder, scales, means))
        decoder.close()
        return self.g_s(y_hat).clamp(0, 1)
