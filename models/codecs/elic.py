"""ELIC: y coded in slices of channels, each in the two steps of a checkerboard."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.checkerboard import EVEN, ODD, gather, spread
from models.codecs.context_codec import Coder, ContextCodec


class Elic(ContextCodec):
    """He et al., "ELIC: Efficient learned image compression with unevenly grouped space-channel contextual adaptive
    coding" (CVPR 2022).

    `ContextCodec` has the diagram; scales and means of a step come so:

        z_hat --> h_s ---------------------------------------------> + --> entropy_parameters --> scales, means
        y_hat of earlier slices --> channel_context ---------------> +
        y_hat of the slice's first step --> context_prediction ----> +
    """

    def __init__(self, g_a: nn.Module, g_s: nn.Module, latent_codec: nn.Module, slices: Sequence[int]) -> None:
        """`latent_codec` holds h_a, h_s and what tells of y under CompressAI's names; `slices` are y's channels."""
        super().__init__(64)
        self.g_a, self.g_s, self.latent_codec = g_a, g_s, latent_codec
        self.slices = list(slices)

    def h_a(self, y: Float[Tensor, "b m h w"]) -> Float[Tensor, "b n h2 w2"]:
        """y -> z, at 1/4 of the sides of y."""
        return self.latent_codec.get_submodule("hyper.h_a")(y)

    def h_s(self, z_hat: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n2 h2 w2"]:
        """z_hat -> features that tell of y."""
        return self.latent_codec.get_submodule("hyper.h_s")(z_hat)

    def in_steps(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b _m h w2"]]:
        """The elements of each step, a row of the checkerboard after the other."""
        slices = torch.split(y, self.slices, 1)
        return (gather(of_slice, positions) for of_slice in slices for positions in (EVEN, ODD))

    def step_by_step(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat, which `code` gives of one step after the other."""
        hyper = self.h_s(z_hat.contiguous())
        slices = [self._slice(0, hyper, code)]
        for index in range(1, len(self.slices)):
            known = torch.cat([y_hat for _, _, y_hat in slices], 1)
            channel = self.latent_codec.get_submodule(f"y.channel_context.y{index}")(known)
            slices.append(self._slice(index, torch.cat([channel, hyper], 1), code))
        scales, means, y_hat = (torch.cat(each, 1) for each in zip(*slices, strict=True))
        return scales, means, y_hat

    def _slice(self, index: int, features: Float[Tensor, "b c h w"], code: Coder) -> tuple[Tensor, ...]:
        """Scales, means and y_hat of one slice; `features` are what z and earlier slices tell of it."""
        networks = self.latent_codec.get_submodule(f"y.latent_codec.y{index}")
        context, network = networks.get_submodule("context_prediction"), networks.get_submodule("entropy_parameters")
        batch, _, height, width = features.shape
        done = features.new_zeros(batch, 3 * self.slices[index], height, width)
        for positions in (EVEN, ODD):
            y_hat = done.chunk(3, 1)[2]
            spatial = context(y_hat) if positions is ODD else torch.cat([torch.zeros_like(y_hat)] * 2, 1)
            gathered = torch.cat([gather(feature, positions) for feature in (spatial, features)], 1)
            scales, means = network(gathered).chunk(2, 1)
            done = done + spread(torch.cat([scales, means, code(scales, means)], 1), positions)
        return done.chunk(3, 1)
