"""TinyLIC: neighborhood attention between strided convolutions, and y coded in four slices, in nine steps.

Lu and Ma, "High-efficiency lossy image coding through adaptive neighborhood information aggregation" (arXiv
2204.11448).
Layers have the names of the published checkpoints (github.com/lumingzzz/TinyLIC), which load as they are.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs import checkerboard
from models.codecs.checkerboard import STEPS, Step
from models.codecs.context_codec import Coder, ContextCodec
from models.codecs.entropy_models import Bottleneck, Gaussian
from models.codecs.neighborhood_attention import ResidualGroup

LARGEST_DROP = 0.1
"""How often training leaves out a part of the last block of the encoder or decoder; earlier blocks lose parts less."""


class Level(NamedTuple):
    """A map that a residual group works on."""

    channels: int
    depth: int
    """Blocks."""
    heads: int
    window: int


class TinyLIC(ContextCodec):
    """28,338,211 parameters, as published.

    `ContextCodec` has the diagram; scales and means of a step come so:

        z_hat --> h_s --> + -------------------------------------> + --> entropy_parameters --> scales, means
                          v                                        |
        y_hat of earlier slices --> cc_transforms ---------------> +
        y_hat of the slice's earlier steps --> sc_transform -----> +
    """

    def __init__(self, N: int = 128, M: int = 320) -> None:
        """Channels: `N` of the first map, a multiple of 16, and `M` of y, a multiple of 20."""
        K = 3 * N // 2
        super().__init__(64)
        self.entropy_bottleneck = Bottleneck(K)
        self.gaussian_conditional = Gaussian()
        image = [Level(N, 2, 8, 7), Level(K, 2, 12, 7), Level(2 * N, 6, 16, 7), Level(M, 2, 20, 7)]
        hyper = [Level(K, 2, 12, 3), Level(K, 2, 12, 3)]
        blocks = sum(level.depth for level in image + hyper)
        encoder, decoder = (iter([LARGEST_DROP * block / (blocks - 1) for block in range(blocks)]) for _ in range(2))
        self._add("g_a", _down(3, image, encoder))
        self._add("h_a", _down(M, hyper, encoder))
        self._add("h_s", _up(hyper[::-1], 2 * M, decoder))
        self._add("g_s", _up(image[::-1], 3, decoder))
        for name, layer in checkerboard.spatial_contexts(M):
            self.add_module(name, layer)
        for index, layers in enumerate(checkerboard.entropy_parameters(M), 1):
            self.add_module(f"entropy_parameters_{index}", layers)
        self.cc_transforms = nn.ModuleList(checkerboard.channel_contexts(M))

    def g_a(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b m h2 w2"]:
        """An image -> y, at 1/16 of the image's sides."""
        return self._through("g_a", x)

    def h_a(self, y: Float[Tensor, "b m h w"]) -> Float[Tensor, "b k h2 w2"]:
        """y -> z, at 1/4 of the sides of y."""
        return self._through("h_a", y)

    def h_s(self, z_hat: Float[Tensor, "b k h w"]) -> Float[Tensor, "b m2 h2 w2"]:
        """z_hat -> features for y's scales and means."""
        return self._through("h_s", z_hat)

    def g_s(self, y_hat: Float[Tensor, "b m h w"]) -> Float[Tensor, "b 3 h2 w2"]:
        """y_hat -> an image."""
        return self._through("g_s", y_hat)

    def in_steps(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b _m _h _w"]]:
        """The elements of each step, in the order of coding."""
        return checkerboard.in_steps(y)

    def step_by_step(self, z_hat: Float[Tensor, "b k h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat, which `code` gives of one step after the other."""
        hyper = self.h_s(z_hat.contiguous())
        slices: list[tuple[Tensor, ...]] = []
        for index, steps in enumerate(STEPS):
            known = torch.cat([hyper, *(y_hat for _, _, y_hat in slices)], 1)
            slices.append(self._slice(index, steps, hyper, self.cc_transforms[index](known), code))
        scales, means, y_hat = (torch.cat(each, 1) for each in zip(*slices, strict=True))
        return scales, means, y_hat

    def _slice(
        self,
        index: int,
        steps: tuple[Step, ...],
        hyper: Float[Tensor, "b m2 h w"],
        channel: Float[Tensor, "b c2 h w"],
        code: Coder,
    ) -> tuple[Tensor, ...]:
        """Scales, means and y_hat of one slice; `channel` is what z and earlier slices tell of it."""
        network = self.get_submodule(f"entropy_parameters_{index + 1}")
        done = channel.new_zeros(channel.shape[0], 3 * channel.shape[1] // 2, *channel.shape[2:])
        for step in steps:
            features = [hyper, channel]
            if len(steps) > 1:
                y_hat = done.chunk(3, 1)[2]
                features.insert(
                    1, self.get_submodule(step.context)(y_hat) if step.context else torch.zeros_like(channel)
                )
            gathered = torch.cat([checkerboard.gather(feature, step.positions) for feature in features], 1)
            scales, means = network(gathered).chunk(2, 1)
            done = done + checkerboard.spread(torch.cat([scales, means, code(scales, means)], 1), step.positions)
        return done.chunk(3, 1)

    def _add(self, name: str, layers: Iterator[nn.Module]) -> None:
        for index, layer in enumerate(layers):
            self.add_module(f"{name}{index}", layer)

    def _through(self, name: str, x: Tensor) -> Tensor:
        for layer in (layer for key, layer in self.named_children() if key.startswith(name)):
            x = layer(x)
        return x


def _down(inputs: int, levels: list[Level], drops: Iterator[float]) -> Iterator[nn.Module]:
    """Halves the sides before each level; pixels by a larger kernel."""
    before = [inputs] + [level.channels for level in levels]
    for channels, level in zip(before, levels, strict=False):
        kernel = 5 if channels == 3 else 3
        yield nn.Conv2d(channels, level.channels, kernel, stride=2, padding=kernel // 2)
        yield _group(level, drops)


def _up(levels: list[Level], outputs: int, drops: Iterator[float]) -> Iterator[nn.Module]:
    """Doubles the sides after each level; to pixels by a larger kernel."""
    after = [level.channels for level in levels[1:]] + [outputs]
    for level, channels in zip(levels, after, strict=True):
        kernel = 5 if channels == 3 else 3
        yield _group(level, drops)
        yield nn.ConvTranspose2d(level.channels, channels, kernel, stride=2, padding=kernel // 2, output_padding=1)


def _group(level: Level, drops: Iterator[float]) -> ResidualGroup:
    return ResidualGroup(level.channels, level.heads, level.window, list(islice(drops, level.depth)))
