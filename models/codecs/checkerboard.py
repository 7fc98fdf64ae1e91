"""The order in which TinyLIC codes its latents, and the convolutions that look at what is coded already."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Places = tuple[tuple[int, int], ...]
"""Elements of each 2x2 square of a map: row and column, 0 or 1."""
EVEN: Places = ((0, 0), (1, 1))
ODD: Places = ((0, 1), (1, 0))


class Pass(NamedTuple):
    """What of a slice of channels is coded together."""

    places: Places
    context: str = ""
    """The convolution that sees what earlier passes coded; the first pass has none."""


PASSES: tuple[tuple[Pass, ...], ...] = (
    (
        Pass(((0, 0),)),
        Pass(((1, 1),), "sc_transform_1"),
        Pass(((0, 1),), "sc_transform_2"),
        Pass(((1, 0),), "sc_transform_3"),
    ),
    (Pass(ODD), Pass(EVEN, "sc_transform_4")),
    (Pass(EVEN), Pass(ODD, "sc_transform_5")),
    (Pass(EVEN + ODD),),
)
"""Of each slice in turn."""


class SpatialContext(nn.Conv2d):
    """A convolution from y_hat to scales and means that sees the places coded before those of its pass."""

    mask: Tensor

    def __init__(self, channels: int, seen: Places, places: Places) -> None:
        """`channels` are those of y_hat."""
        kernel = 3 if len(seen) == 1 else 5
        super().__init__(channels, 2 * channels, kernel, padding=kernel // 2)  # pyright: ignore[reportUnknownMemberType]
        mask = torch.zeros_like(self.weight)
        row, column = places[0]
        for seen_row, seen_column in seen:
            mask[:, :, (kernel // 2 + seen_row - row) % 2 :: 2, (kernel // 2 + seen_column - column) % 2 :: 2] = 1
        self.register_buffer("mask", mask)

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        """Of use at the places of its pass alone."""
        return F.conv2d(input, self.weight * self.mask, self.bias, padding=self.kernel_size[0] // 2)


def slices(M: int) -> list[int]:
    """Channels of each slice of y: few first, then more, by a quarter of a cosine."""
    left = [math.ceil(M * math.cos(math.pi / 2 * index / len(PASSES))) for index in range(len(PASSES))]
    return [before - after for before, after in pairwise([*left, 0])]


def spatial_contexts(M: int) -> Iterator[tuple[str, SpatialContext]]:
    """The convolutions that the passes name."""
    for channels, passes in zip(slices(M), PASSES, strict=True):
        seen: Places = ()
        for step in passes:
            if step.context:
                yield step.context, SpatialContext(channels, seen, step.places)
            seen += step.places


def channel_contexts(M: int) -> Iterator[nn.Sequential]:
    """For each slice, from z's features and the slices before it to features of twice its channels."""
    for index, channels in enumerate(slices(M)):
        known = 2 * M + sum(slices(M)[:index])
        yield _convolutions((known, channels, channels, 2 * channels), (5, 5, 3))


def entropy_parameters(M: int) -> Iterator[nn.Sequential]:
    """For each slice, from the features of z, of its places, if it has several passes, and of the slices before it to
    its scales and means.
    """
    for channels, passes in zip(slices(M), PASSES, strict=True):
        several = len(passes) > 1
        hidden = (10 * channels // 3, 8 * channels // 3) if several else (2 * channels, 2 * channels)
        yield _convolutions((2 * M + (4 if several else 2) * channels, *hidden, 2 * channels), (1, 1, 1))


def gather(x: Float[Tensor, "b c h w"], places: Places) -> Float[Tensor, "b c h2 w2"]:
    """The elements at these places, a map of them each, side by side."""
    return torch.cat([x[:, :, row::2, column::2] for row, column in places], 3)


def spread(x: Float[Tensor, "b c h2 w2"], places: Places) -> Float[Tensor, "b c h w"]:
    """Puts back what `gather` took; 0 elsewhere."""
    height, width = 2 * x.shape[2], 2 * x.shape[3] // len(places)
    whole = x.new_zeros(*x.shape[:2], height, width)
    for (row, column), part in zip(places, x.chunk(len(places), 3), strict=True):
        whole[:, :, row::2, column::2] = part
    return whole


def passes_of(y: Float[Tensor, "b c h w"]) -> Iterator[Float[Tensor, "b _c _h _w"]]:
    """The latents of each pass, in the order of coding."""
    for part, passes in zip(torch.split(y, slices(y.shape[1]), 1), PASSES, strict=True):
        for step in passes:
            yield gather(part, step.places)


def _convolutions(widths: tuple[int, ...], kernels: tuple[int, ...]) -> nn.Sequential:
    """With GELU between them."""
    layers: list[nn.Module] = []
    for (inputs, outputs), kernel in zip(pairwise(widths), kernels, strict=True):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.GELU()]
    return nn.Sequential(*layers[:-1])
