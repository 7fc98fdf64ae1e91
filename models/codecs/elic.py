"""ELIC: latents coded in groups of channels, each in two passes over a checkerboard."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.checkerboard import EVEN, ODD, gather, spread
from models.codecs.context_codec import Coder, PartwiseCodec


class Elic(PartwiseCodec):
    """He et al., "ELIC: Efficient learned image compression with unevenly grouped space-channel contextual adaptive
    coding" (CVPR 2022).
    """

    def __init__(self, g_a: nn.Module, g_s: nn.Module, latent_codec: nn.Module, groups: Sequence[int]) -> None:
        """`latent_codec` holds h_a, h_s and what tells of y under CompressAI's names; `groups` are y's channels."""
        super().__init__(64)
        self.g_a, self.g_s, self.latent_codec = g_a, g_s, latent_codec
        self.groups = list(groups)

    def h_a(self, y: Float[Tensor, "b m h w"]) -> Float[Tensor, "b n h2 w2"]:
        """y -> z, at 1/4 of its sides."""
        return self.latent_codec.get_submodule("hyper.h_a")(y)

    def h_s(self, z_hat: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n2 h2 w2"]:
        """z_hat -> features that tell of y."""
        return self.latent_codec.get_submodule("hyper.h_s")(z_hat)

    def parts(self, y: Float[Tensor, "b m h w"]) -> Iterator[Float[Tensor, "b _m h w2"]]:
        """The latents of each pass, a row of the checkerboard after the other."""
        return (gather(group, places) for group in torch.split(y, self.groups, 1) for places in (EVEN, ODD))

    def decoded(self, z_hat: Float[Tensor, "b n h w"], code: Coder) -> tuple[Tensor, Tensor, Tensor]:
        """Scales and means of y, and y_hat: pass by pass the same for whoever codes, to the last bit."""
        hyper = self.h_s(z_hat.contiguous())
        groups = [self._group(0, hyper, code)]
        for index in range(1, len(self.groups)):
            known = torch.cat([y_hat for _, _, y_hat in groups], 1)
            channel = self.latent_codec.get_submodule(f"y.channel_context.y{index}")(known)
            groups.append(self._group(index, torch.cat([channel, hyper], 1), code))
        scales, means, y_hat = (torch.cat(parts, 1) for parts in zip(*groups, strict=True))
        return scales, means, y_hat

    def _group(self, index: int, features: Float[Tensor, "b c h w"], code: Coder) -> tuple[Tensor, ...]:
        """The same of one group; `features` are what z and the groups before it tell."""
        networks = self.latent_codec.get_submodule(f"y.latent_codec.y{index}")
        context, network = networks.get_submodule("context_prediction"), networks.get_submodule("entropy_parameters")
        batch, _, height, width = features.shape
        done = features.new_zeros(batch, 3 * self.groups[index], height, width)
        for places in (EVEN, ODD):
            y_hat = done.chunk(3, 1)[2]
            spatial = context(y_hat) if places is ODD else torch.cat([torch.zeros_like(y_hat)] * 2, 1)
            gathered = torch.cat([gather(feature, places) for feature in (spatial, features)], 1)
            scales, means = network(gathered).chunk(2, 1)
            done = done + spread(torch.cat([scales, means, code(scales, means)], 1), places)
        return done.chunk(3, 1)
