"""The steps in which TinyLIC codes y, and the convolutions that look at what is coded already.

`models.codecs.context_codec` says what slices and steps are.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Positions = tuple[tuple[int, int], ...]
"""Elements of each 2x2 square of a map: row and column, 0 or 1."""
EVEN: Positions = ((0, 0), (1, 1))
ODD: Positions = ((0, 1), (1, 0))


class Step(NamedTuple):
    """Positions in a slice that are coded together."""

    positions: Positions
    context: str = ""
    """Name of the convolution that sees what earlier steps coded; the first step has none."""


STEPS: tuple[tuple[Step, ...], ...] = (
    (
        Step(((0, 0),)),
        Step(((1, 1),), "sc_transform_1"),
        Step(((0, 1),), "sc_transform_2"),
        Step(((1, 0),), "sc_transform_3"),
    ),
    (Step(ODD), Step(EVEN, "sc_transform_4")),
    (Step(EVEN), Step(ODD, "sc_transform_5")),
    (Step(EVEN + ODD),),
)
"""The steps of each slice in turn."""


class SpatialContext(nn.Conv2d):
    """A convolution from y_hat to scales and means that sees the positions coded before a step's own."""

    mask: Tensor

    def __init__(self, channels: int, seen: Positions, positions: Positions) -> None:
        """`channels` are those of y_hat, `seen` the positions coded before, `positions` those of the step."""
        kernel = 3 if len(seen) == 1 else 5
        super().__init__(channels, 2 * channels, kernel, padding=kernel // 2)  # pyright: ignore[reportUnknownMemberType]
        mask = torch.zeros_like(self.weight)
        row, column = positions[0]
        for seen_row, seen_column in seen:
            mask[:, :, (kernel // 2 + seen_row - row) % 2 :: 2, (kernel // 2 + seen_column - column) % 2 :: 2] = 1
        self.register_buffer("mask", mask)

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        """Scales and means, of use at the step's positions alone."""
        return F.conv2d(input, self.weight * self.mask, self.bias, padding=self.kernel_size[0] // 2)


def slices(M: int) -> list[int]:
    """Channels of each slice of y: few first, then more, by a quarter of a cosine."""
    left = [math.ceil(M * math.cos(math.pi / 2 * index / len(STEPS))) for index in range(len(STEPS))]
    return [before - after for before, after in pairwise([*left, 0])]


def spatial_contexts(M: int) -> Iterator[tuple[str, SpatialContext]]:
    """The convolutions that the steps name, and their names."""
    for channels, steps in zip(slices(M), STEPS, strict=True):
        seen: Positions = ()
        for step in steps:
            if step.context:
                yield step.context, SpatialContext(channels, seen, step.positions)
            seen += step.positions


def channel_contexts(M: int) -> Iterator[nn.Sequential]:
    """For each slice, from z's features and the slices before it to features of twice its channels."""
    for index, channels in enumerate(slices(M)):
        known = 2 * M + sum(slices(M)[:index])
        yield _convolutions((known, channels, channels, 2 * channels), (5, 5, 3))


def entropy_parameters(M: int) -> Iterator[nn.Sequential]:
    """For each slice, from the features of z, of the slices before it and, if it has several steps, of the steps
    before, to scales and means.
    """
    for channels, steps in zip(slices(M), STEPS, strict=True):
        several = len(steps) > 1
        hidden = (10 * channels // 3, 8 * channels // 3) if several else (2 * channels, 2 * channels)
        yield _convolutions((2 * M + (4 if several else 2) * channels, *hidden, 2 * channels), (1, 1, 1))


def gather(x: Float[Tensor, "b c h w"], positions: Positions) -> Float[Tensor, "b c h2 w2"]:
    """The elements at these positions, a map of them each, side by side."""
    return torch.cat([x[:, :, row::2, column::2] for row, column in positions], 3)


def spread(x: Float[Tensor, "b c h2 w2"], positions: Positions) -> Float[Tensor, "b c h w"]:
    """Puts back what `gather` took; 0 elsewhere."""
    height, width = 2 * x.shape[2], 2 * x.shape[3] // len(positions)
    whole = x.new_zeros(*x.shape[:2], height, width)
    for (row, column), elements in zip(positions, x.chunk(len(positions), 3), strict=True):
        whole[:, :, row::2, column::2] = elements
    return whole


def in_steps(y: Float[Tensor, "b c h w"]) -> Iterator[Float[Tensor, "b _c _h _w"]]:
    """The elements of each step, in the order of coding."""
    for of_slice, steps in zip(torch.split(y, slices(y.shape[1]), 1), STEPS, strict=True):
        for step in steps:
            yield gather(of_slice, step.positions)


def _convolutions(widths: tuple[int, ...], kernels: tuple[int, ...]) -> nn.Sequential:
    """Convolutions of these widths and kernels, with GELU between them."""
    layers: list[nn.Module] = []
    for (inputs, outputs), kernel in zip(pairwise(widths), kernels, strict=True):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.GELU()]
    return nn.Sequential(*layers[:-1])
