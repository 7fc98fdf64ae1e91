"""A codec with a causal context: elements of y that are decoded tell of the elements around them."""

from collections.abc import Iterator
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.codecs.context_codec import Coder, ContextCodec
from models.codecs.entropy_models import Bottleneck, Gaussian, rounded

RADIUS = 2
"""Positions on each side of an element that tell of it."""
SIDE = 2 * RADIUS + 1
BEFORE = [(row, column) for row in range(RADIUS + 1) for column in range(SIDE) if (row, column) < (RADIUS, RADIUS)]
"""Positions in the square around an element that are decoded before it: above, and left in the same row."""
ROWS, COLUMNS = (list(offsets) for offsets in zip(*BEFORE, strict=True))


class Step(NamedTuple):
    """Positions of a map that are coded together; the one slice has all channels."""

    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " n"]

    def of(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 1 n"]:
        """A map's elements at these positions."""
        return x[:, :, self.rows, self.columns].unsqueeze(2)


def causal_steps(height: int, width: int, device: torch.device) -> Iterator[Step]:
    """Positions that do not tell of one another, in an order in which each follows all that tell of it.

    There are about `width` + 3 * `height` of them, and not as many as positions.
    """
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    time = columns + (RADIUS + 1) * rows
    for now in cast(Tensor, time.unique()):  # pyright: ignore[reportUnknownMemberType]
        yield Step(*(positions.to(device) for positions in torch.nonzero(time == now, as_tuple=True)))


class CausalContext(nn.Conv2d):
    """A convolution from y_hat to features that sees what is decoded before the position in its middle."""

    mask: Tensor

    def __init__(self, M: int) -> None:
        """`M` is the number of y's channels."""
        super().__init__(M, 2 * M, SIDE, padding=RADIUS)  # pyright: ignore[reportUnknownMemberType]
        mask = torch.zeros_like(self.weight)
        mask[:, :, ROWS, COLUMNS] = 1
        self.register_buffer("mask", mask)

    def kernel(self) -> Float[Tensor, "m2 m12"]:
        """The weights that are not masked, for `around`."""
        return self.weight[:, :, ROWS, COLUMNS].flatten(1)

    def forward(
        self, input: Float[Tensor, "b m h w"], kernel: Float[Tensor, "m2 m12"] | None = None
    ) -> Float[Tensor, "b m2 _h w"]:
        """Features of a map; or, given the kernel, of positions whose neighborhoods `around` has set side by side."""
        if kernel is None:
            return F.conv2d(input, self.weight * self.mask, self.bias, padding=RADIUS)
        assert self.bias is not None
        kernels = kernel.expand(len(input), -1, -1)
        return (torch.bmm(kernels, input.flatten(1, 2)) + self.bias[:, None]).unsqueeze(2)


def around(padded: Float[Tensor, "b m h w"], step: Step) -> Float[Tensor, "b m 12 n"]:
    """What is decoded around the positions of a step, of a map with `RADIUS` more elements on each side."""
    rows, columns = (torch.tensor(offsets, device=padded.device)[:, None] for offsets in (ROWS, COLUMNS))
    return padded[:, :, step.rows + rows, step.columns + columns]


class Autoregressive(ContextCodec):
    """Minnen et al., "Joint autoregressive and hierarchical priors for learned image compression" (NeurIPS 2018).

    `ContextCodec` has the diagram; scales and means of a step come so:

        z_hat --> h_s ------------------------------------> + --> entropy_parameters --> scales, means
        y_hat of earlier steps --> context_prediction ----> +

    In training the context sees y with noise, all positions at once, as published.
    """

    def __init__(
        self,
        *,
        g_a: nn.Module,
        g_s: nn.Module,
        h_a: nn.Module,
        h_s: nn.Module,
        entropy_parameters: nn.Module,
        N: int,
        M: int,
    ) -> None:
        """`N` is the number of z's channels, `M` that of y's."""
        super().__init__(64)
        self.entropy_bottleneck = Bottleneck(N)
        self.gaussian_conditional = Gaussian()
        self.g_a, self.g_s, self.h_a, self.h_s = g_a, g_s, h_a, h_s
        self.entropy_parameters = entropy_parameters
        self.context_prediction = CausalContext(M)

    def in_steps(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b m 1 _n"]]:
        """The elements of each step, in the order of coding."""
        return (step.of(y) for step in causal_steps(y.shape[2], y.shape[3], y.device))

    def context(self, y: Float[Tensor, "b m h w"], z_hat: Float[Tensor, "b n h2 w2"]) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat."""
        if not self.training:
            return super().context(y, z_hat)
        context = self.context_prediction(self.gaussian_conditional.quantize(y.float(), "noise"))
        scales, means = self.entropy_parameters(torch.cat([self.h_s(z_hat), context], 1)).chunk(2, 1)
        return scales, means, rounded((y - means).float()) + means

    def step_by_step(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat, which `code` gives of one step after the other."""
        hyper = self.h_s(z_hat.contiguous()).float()
        gaussians, kernel = torch.empty_like(hyper), self.context_prediction.kernel()
        padded = F.pad(torch.zeros_like(hyper.chunk(2, 1)[0]), [RADIUS] * 4)
        for step in causal_steps(hyper.shape[2], hyper.shape[3], hyper.device):
            context = self.context_prediction(around(padded, step), kernel)
            found = self.entropy_parameters(torch.cat([step.of(hyper), context], 1))
            gaussians[:, :, step.rows, step.columns] = found[:, :, 0]
            padded[:, :, step.rows + RADIUS, step.columns + RADIUS] = code(*found.chunk(2, 1))[:, :, 0]
        scales, means = gaussians.chunk(2, 1)
        return scales, means, padded[:, :, RADIUS:-RADIUS, RADIUS:-RADIUS].contiguous()
