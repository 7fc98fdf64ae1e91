"""Codecs that code y step by step: what is decoded of y tells of the rest.

Two words say how y is divided, here and in the codecs built on this. A slice is a group of channels; a codec may have
one slice of all channels. A step is a set of positions in one slice whose elements are coded together: their scales and
means depend on z and on earlier steps, not on one another.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from models.codecs.base import Codec, CodecOutput
from models.codecs.entropy_coder import Decoder, Latent
from models.codecs.entropy_models import Gaussian, Prior, rounded

Coder = Callable[[Tensor, Tensor], Tensor]
"""Scales and means of a step -> y_hat of the step."""


class ContextCodec(Codec):
    """A codec whose y is coded in slices and steps, which a subclass chooses.

                      y
        x --> g_a --> + --> h_a --> z --> EB --> z_hat --> h_s --> context --> scales, means
                      |                                               ^              |
                      |                        y_hat of earlier steps |              |
                      |                         + ------------------- +              |
                      |                         |                                    |
                      + ----------------------> GC <-------------------------------- +
                             step by step       |
                                                + --> y_hat --> g_s --> x_hat

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
    def in_steps(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b _m _h _w"]]:
        """The elements of each step, in the order of coding."""

    @abstractmethod
    def step_by_step(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat, which `code` gives of one step after the other.

        They are the same to the last bit whoever codes: the encoder, the decoder, or `forward` in evaluation mode.
        """

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in the likelihoods of training mode. h and w are multiples of 64."""
        y = self.g_a(x)
        z = self.h_a(y)
        z_hat, z_likelihoods = self.bottleneck(z, prior)
        scales, means, y_hat = self.context(y, z_hat)
        _, y_likelihoods = self.gaussian(y, scales, means)
        x_hat = self.g_s(y_hat)
        return CodecOutput(x_hat.float(), {"y": y_likelihoods, "z": z_likelihoods})

    def context(self, y: Float[Tensor, "b m h w"], z_hat: Float[Tensor, "b n h2 w2"]) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat."""
        quantize = rounded if self.training else torch.round
        steps = self.in_steps(y)
        return self.step_by_step(z_hat, lambda _, means: quantize((next(steps) - means).float()) + means)

    def coded(self, x: Float[Tensor, "1 3 h w"]) -> list[Latent]:
        """The latents of one image as they are written: z, then each step of y."""
        y = self.g_a(x)
        z = self.bottleneck.coded(self.h_a(y))
        steps, latents = self.in_steps(y), [z]

        def code(scales: Tensor, means: Tensor) -> Tensor:
            latents.append(self.gaussian.coded(next(steps), scales, means))
            return latents[-1].symbols + means

        self.step_by_step(z.symbols + self.bottleneck.medians, code)
        return latents

    def decoded(self, decoder: Decoder, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction of the next image of a stream."""
        factor = self.downsampling_factor
        z_hat = self.bottleneck.decoded(decoder, height // factor, width // factor)
        _, _, y_hat = self.step_by_step(z_hat, lambda scales, means: self.gaussian.decoded(decoder, scales, means))
        return self.g_s(y_hat)
