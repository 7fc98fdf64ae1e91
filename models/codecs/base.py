"""What every codec offers, and what it is made of beside its transforms."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from compressai.models.base import SCALES_MIN, CompressionModel
from jaxtyping import Float
from torch import Tensor

from models.codecs import coding_tables, entropy_coder
from models.codecs.entropy_coder import Decoder, Latent
from models.codecs.entropy_models import Bottleneck, Gaussian, Prior

LARGEST_SCALE = 64
"""Largest standard deviation of a latent's Gaussian. Four times less than CompressAI's: the coder's tables shrink with
it, and symbols beyond them are still coded, by escape."""
SCALES = 128
"""Tables between the smallest scale and the largest: twice CompressAI's. An element is coded by the next larger one,
which costs .2 to .4 % of the bits of elements that cost a tenth of a bit to a third, and with half the tables 1 %."""


class CodecOutput(NamedTuple):
    """What one forward pass gives."""

    x_hat: Float[Tensor, "b 3 h w"]
    """Reconstruction; about 0 to 1, not clamped."""
    likelihoods: dict[str, Float[Tensor, "b _c _h _w"]]
    """Probability of each element of the latents: `y`, and `z` where there is one."""


class Codec(CompressionModel, ABC):
    """An image x -> its latents y, and mostly z that tells of y's Gaussians -> bytes -> the image x_hat again.

    Letters are the literature's: g_a is the analysis transform and g_s the synthesis, h_a and h_s are those of the
    hyperprior z; y_hat and z_hat are latents as the decoder has them. In the codecs' diagrams EB is the entropy
    bottleneck, a factorized prior, and GC the conditional Gaussians: both round, and give likelihoods or code.

    What `decompress` gives equals, to the last bit, what `forward` gives in evaluation mode on the same machine.
    On another it is the same but for float error, or a FormatError.
    """

    def __init__(self, downsampling_factor: int) -> None:
        """`downsampling_factor` is the pixels a side of one element of the coarsest latent."""
        super().__init__()
        self.downsampling_factor = downsampling_factor

    @property
    def bottleneck(self) -> Bottleneck:
        """The factorized prior of z, or of y where there is no z."""
        return next(module for module in self.modules() if isinstance(module, Bottleneck))

    g_a: Callable[..., Tensor]
    """An image -> y."""

    @torch.no_grad()
    def least_bits_per_pixel(self) -> float:
        """Lower bound of any stream: all latents are their likeliest symbol, and those of y have the best table."""
        side = self.downsampling_factor
        y = self.g_a(self.bottleneck.quantiles.new_zeros(1, 3, side, side))
        least = coding_tables.least_bits(self.bottleneck)
        gaussians = next((module for module in self.modules() if isinstance(module, Gaussian)), None)
        if gaussians is None:
            bits = least.repeat_interleave(y[0, 0].numel()).sum()
        else:
            bits = least.sum() + y.numel() * coding_tables.least_bits(gaussians).min()
        return bits.item() / side**2

    @abstractmethod
    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""

    @abstractmethod
    def coded(self, x: Float[Tensor, "1 3 h w"]) -> list[Latent]:
        """The latents of one image as they are written, in their order."""

    @abstractmethod
    def decoded(self, decoder: Decoder, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction of the next image of a stream. `height` and `width` are multiples of
        `downsampling_factor`."""

    @torch.no_grad()
    def compress(self, x: Float[Tensor, "1 3 h w"]) -> bytes:
        """The entropy-coded latents of one image."""
        return entropy_coder.encode(*self.coded(x))

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of `downsampling_factor`.

        Raises:
            FormatError: other latents were coded.
        """
        decoder = Decoder(stream)
        x_hat = self.decoded(decoder, height, width)
        decoder.close()
        return x_hat.clamp(0, 1)

    def update_tables(self) -> None:
        """Prepares the entropy coder for the present weights; needed once after training, before `compress`.

        It computes in float64, so that the same weights give the same tables on every machine.
        """
        kind = next(self.parameters()).dtype
        scales = torch.linspace(math.log(SCALES_MIN), math.log(LARGEST_SCALE), SCALES, dtype=torch.float64)
        self.double().update(scales.exp().float(), force=True, update_quantiles=True)
        self.to(kind)
