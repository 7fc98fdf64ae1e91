"""CompressAI's entropy models, with a prior that may differ from image to image."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call

from models.codecs.entropy_coder import Decoder, Latent
from models.errors import ModelError

WIDEST = 1 << 15
"""Most symbols of a channel that a table tells apart: half of the frequencies that a table shares out."""


class Prior(NamedTuple):
    """How the factorized prior is stretched and moved: its cumulative at z is the plain one's at scale * z + shift."""

    scale: Float[Tensor, "*b c"]
    shift: Float[Tensor, "*b c"]


class Bottleneck(EntropyBottleneck):
    """CompressAI's factorized prior of a latent, which may differ from image to image by a `Prior`."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self._prior: Prior | None = None
        # `update` finds the quantiles by bisection, so that they need no loss of their own.
        self.quantiles.requires_grad_(False)

    def forward(self, z: Float[Tensor, "b c h w"], prior: Prior | None = None) -> tuple[Tensor, Tensor]:
        """z_hat, noisy in training mode and else rounded, and the likelihoods of z_hat, in float32.

        Without a `prior` the bottleneck is CompressAI's, whose own code waits for the GPU to say how dimensions are
        exchanged.
        """
        self._prior = prior
        try:
            with torch.autocast(z.device.type, enabled=False):
                channels = z.float().transpose(0, 1)
                values = channels.flatten(1).unsqueeze(1)
                z_hat = self.quantize(values, "noise" if self.training else "dequantize", self._get_medians())
                likelihoods = self.likelihood_lower_bound(self._likelihood(z_hat)[0])
        finally:
            self._prior = None
        z_hat, likelihoods = (
            value.reshape(channels.shape).transpose(0, 1).contiguous() for value in (z_hat, likelihoods)
        )
        return z_hat, likelihoods

    def fold(self, prior: Prior) -> None:
        """Makes the prior of one image everyone's, by changing the first layer's weights."""
        matrix, bias = self.matrices[0], self.biases[0]
        slope = F.softplus(matrix)
        bias.add_(slope * prior.shift[:, None, None])
        stretched = slope * prior.scale[:, None, None]
        # The inverse of softplus, written so that steep slopes do not overflow.
        matrix.copy_(stretched + stretched.neg().expm1().neg().log())

    def update(self, force: bool = False, update_quantiles: bool = False) -> bool:
        """CompressAI's tables.

        Raises:
            ModelError: a channel's distribution has more symbols than a table can tell apart.
        """
        if update_quantiles:
            self._update_quantiles()
        if (self.quantiles[..., 2] - self.quantiles[..., 0]).max() > WIDEST:
            raise ModelError("the codec's prior is too flat to code by: it has diverged; use another")
        return super().update(force)

    @property
    def medians(self) -> Float[Tensor, "1 c 1 1"]:
        """What z is rounded about."""
        return self.quantiles[:, 0, 1].detach().reshape(1, -1, 1, 1)

    def coded(self, z: Float[Tensor, "1 c h w"]) -> Latent:
        """z as it is written."""
        return Latent((z - self.medians).round(), self.build_indexes(z), self)

    def decoded(self, decoder: Decoder, height: int, width: int) -> Float[Tensor, "1 c h w"]:
        """z_hat, the next latent of a stream."""
        return decoder.take(self.build_indexes(self.medians.expand(1, -1, height, width)), self) + self.medians

    def build_indexes(self, z: Float[Tensor, "1 c h w"]) -> Int[Tensor, "1 c h w"]:
        """Index of each element's table, which is that of the element's channel."""
        return torch.arange(z.shape[1], device=z.device).reshape(1, -1, 1, 1).expand(z.shape)

    def _logits_cumulative(self, inputs: Float[Tensor, "c 1 _n"], stop_gradient: bool) -> Float[Tensor, "c 1 _n"]:
        inputs = inputs.to(self.matrices[0].dtype)
        if self._prior is not None:
            scale, shift = (_by_element(value, inputs) for value in self._prior)
            inputs = inputs * scale + shift
        return super()._logits_cumulative(inputs, stop_gradient)


class Gaussian(GaussianConditional):
    """CompressAI's Gaussians of y, in float32: bfloat16 rounds likelihoods near 1 to 1 and their bits to 0."""

    def __init__(self) -> None:
        super().__init__(None)

    def forward(
        self, y: Float[Tensor, "b c h w"], scales: Float[Tensor, "b c h w"], means: Float[Tensor, "b c h w"]
    ) -> tuple[Tensor, Tensor]:
        """y_hat, which is y rounded about the means, and the likelihoods of y_hat.

        In training mode the gradient passes the rounding as if there were none, and the likelihoods are of y with noise
        (Minnen and Singh, "Channel-wise autoregressive entropy models", ICIP 2020).
        """
        with torch.autocast(y.device.type, enabled=False):
            y_hat, likelihoods = super().forward(y.float(), scales.float(), means.float())
        if self.training:
            y_hat = rounded((y - means).float()) + means
        return y_hat, likelihoods.float()

    def coded(
        self, y: Float[Tensor, "1 c h w"], scales: Float[Tensor, "1 c h w"], means: Float[Tensor, "1 c h w"]
    ) -> Latent:
        """y as it is written."""
        return Latent((y - means).round(), self.build_indexes(scales), self)

    def decoded(
        self, decoder: Decoder, scales: Float[Tensor, "1 c h w"], means: Float[Tensor, "1 c h w"]
    ) -> Float[Tensor, "1 c h w"]:
        """y_hat, the next latent of a stream."""
        return decoder.take(self.build_indexes(scales), self) + means

    def build_indexes(self, scales: Float[Tensor, "1 c h w"]) -> Int[Tensor, "1 c h w"]:
        """Index of each element's table: the first table whose scale is not below the element's."""
        return torch.bucketize(self.lower_bound_scale(scales).contiguous(), self.scale_table[:-1])

    def _standardized_cumulative(self, inputs: Float[Tensor, "*_n"]) -> Float[Tensor, "*_n"]:
        # Coding tables are made of it, in evaluation mode.
        return super()._standardized_cumulative(inputs if self.training else inputs.double())


def rounded(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Rounds; the gradient passes as if it had not."""
    return values + (values.round() - values).detach()


def exactly(network: nn.Module, x: Float[Tensor, "*b c h w"]) -> Float[Tensor, "*b _c _h _w"]:
    """What a network gives, computed in float64 and in one memory layout.

    Sums then differ by 1e-15 between machines, threads and precisions: a table is chosen by them as if they did not.
    """
    weights = {name: value.double() for name, value in network.state_dict().items()}
    with torch.autocast(x.device.type, enabled=False):
        return functional_call(network, weights, x.double().contiguous()).float()


def _by_element(values: Float[Tensor, "b c"], inputs: Float[Tensor, "c 1 n"]) -> Float[Tensor, "c 1 n"]:
    """A value an image and channel, repeated for the image's elements; images follow one another."""
    each = inputs.shape[2] // values.shape[0]
    return values.t().unsqueeze(2).expand(-1, -1, each).flatten(1).unsqueeze(1)
