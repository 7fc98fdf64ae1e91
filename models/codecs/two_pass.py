"""A codec whose y is coded in two passes, with tables that are the same on every machine."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs import entropy_models
from models.codecs.checkerboard import EVEN, ODD, Positions
from models.codecs.context_codec import Coder, ContextCodec
from models.codecs.entropy_models import Bottleneck, Gaussian


class TwoPass(ContextCodec):
    """A checkerboard context, as He et al., "Checkerboard context model for efficient learned image compression" (CVPR
    2021): half of the positions of y are coded by what z tells, the others also by what the first half tells.

    `ContextCodec` has the diagram; scales and means of a step come so:

        z_hat --> h_s --> + --> even_parameters --> scales, means of even positions
                          |
                          + -----------------------------> + --> odd_parameters --> scales, means of odd positions
        y_hat of even positions --> context_prediction --> +

    The maps in between have one place for each 2x2 square of y, with its positions side by side as channels. An
    ordinary convolution then sees all even neighbours of an odd position, and no work is lost to a mask.
    """

    def __init__(
        self,
        *,
        g_a: nn.Module,
        g_s: nn.Module,
        h_a: nn.Module,
        h_s: nn.Module,
        context_prediction: nn.Module,
        even_parameters: nn.Module,
        odd_parameters: nn.Module,
        N: int,
        downsampling_factor: int = 64,
    ) -> None:
        """`N` is the number of z's channels, `downsampling_factor` the pixels a side of one element of z."""
        super().__init__(downsampling_factor)
        self.entropy_bottleneck = Bottleneck(N)
        self.gaussian_conditional = Gaussian()
        self.g_a, self.g_s, self.h_a, self.h_s = g_a, g_s, h_a, h_s
        self.context_prediction = context_prediction
        self.even_parameters, self.odd_parameters = even_parameters, odd_parameters

    def in_steps(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b m2 h2 w2"]]:
        """The elements at even positions, then those at odd ones."""
        return (_stacked(y, positions) for positions in (EVEN, ODD))

    def step_by_step(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat, which `code` gives of one step after the other."""
        hyper = self._compute("h_s", z_hat)
        even = self._compute("even_parameters", hyper).chunk(2, 1)
        even_hat = code(*even)
        context = self._compute("context_prediction", even_hat)
        odd = self._compute("odd_parameters", torch.cat([hyper, context], 1)).chunk(2, 1)
        odd_hat = code(*odd)
        pairs = zip((*even, even_hat), (*odd, odd_hat), strict=True)
        scales, means, y_hat = (_interleaved(*pair) for pair in pairs)
        return scales, means, y_hat

    def _compute(self, name: str, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b _c h2 w2"]:
        """What a network gives; exactly, where coding tables depend on it."""
        network = self.get_submodule(name)
        return network(x) if self.training else entropy_models.exactly(network, x)


def _stacked(x: Float[Tensor, "b c h w"], positions: Positions) -> Float[Tensor, "b c2 h2 w2"]:
    """The elements at some positions of each 2x2 square, side by side as channels."""
    return torch.cat([x[:, :, row::2, column::2] for row, column in positions], 1)


def _interleaved(even: Float[Tensor, "b c2 h2 w2"], odd: Float[Tensor, "b c2 h2 w2"]) -> Float[Tensor, "b c h w"]:
    """Puts back what `_stacked` took at the even positions and at the odd ones."""
    maps = dict(zip(EVEN + ODD, (*even.chunk(2, 1), *odd.chunk(2, 1)), strict=True))
    squares = torch.stack([maps[position] for position in sorted(maps)], 2)
    return F.pixel_shuffle(squares.flatten(1, 2), 2)
