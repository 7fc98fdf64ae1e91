"""The codec for CPUs: little work at full resolution, and few but fine latents.

Strokes are thin: y at 1/8 of the image's sides with a third of the channels reads more at equal rate, time and number
of elements than at 1/16.
"""

from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.two_pass import TwoPass

WIDTHS = (32, 96)
"""Channels at 1/4 and 1/8 of the image's sides."""
BLOCKS = 2
"""Residual blocks at 1/8, each way."""
HALVINGS = 3
"""How often the sides of y are halved to those of z."""
HYPER, CONTEXT, HIDDEN = 64, 96, 96
"""Features of each 2x2 square of y: those that z tells, those that the even positions tell, and those in between."""
PATCH = 4
"""Pixels a side of one element of the first map. Kernels are twice as wide: they overlap, and no seam shows."""


def codec(M: int = 32, N: int = 32) -> TwoPass:
    """The whole codec; `M` and `N` are the channels of y and z."""
    return TwoPass(
        g_a=analysis(M),
        g_s=synthesis(M),
        h_a=hyper_analysis(M, N),
        h_s=hyper_synthesis(N),
        context_prediction=nn.Sequential(nn.Conv2d(2 * M, CONTEXT, 3, padding=1), nn.SiLU()),
        even_parameters=parameters(HYPER, 4 * M),
        odd_parameters=parameters(HYPER + CONTEXT, 4 * M),
        N=N,
    )


def analysis(M: int) -> nn.Sequential:
    """g_a: an image -> y, `M` channels at 1/8 of the image's sides."""
    a, b = WIDTHS
    return nn.Sequential(
        nn.Conv2d(3, a, 2 * PATCH, stride=PATCH, padding=PATCH // 2),
        nn.SiLU(),
        down(a, b),
        *blocks(b),
        nn.Conv2d(b, M, 1),
    )


def synthesis(M: int) -> nn.Sequential:
    """g_s: y_hat -> an image."""
    a, b = WIDTHS
    return nn.Sequential(
        nn.Conv2d(M, b, 1),
        *blocks(b),
        up(b, a),
        nn.SiLU(),
        nn.ConvTranspose2d(a, 3, 2 * PATCH, stride=PATCH, padding=PATCH // 2),
    )


def hyper_analysis(M: int, N: int) -> nn.Sequential:
    """h_a: y -> z, `N` channels at 1/64 of the image's sides."""
    halvings = [layer for _ in range(HALVINGS) for layer in (nn.SiLU(), down(N, N))]
    return nn.Sequential(nn.Conv2d(M, N, 3, padding=1), *halvings)


def hyper_synthesis(N: int) -> nn.Sequential:
    """h_s: z_hat -> features of each 2x2 square of y."""
    doublings = [layer for _ in range(HALVINGS - 1) for layer in (up(N, N), nn.SiLU())]
    return nn.Sequential(*doublings, nn.Conv2d(N, HYPER, 3, padding=1), nn.SiLU())


def parameters(inputs: int, outputs: int) -> nn.Sequential:
    """Features of a square -> scales and means of its elements at even or at odd positions."""
    return nn.Sequential(nn.Conv2d(inputs, HIDDEN, 1), nn.SiLU(), nn.Conv2d(HIDDEN, outputs, 1))


class Residual(nn.Module):
    """A bottleneck block, as ELIC's (He et al., CVPR 2022), at half the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(
            nn.Conv2d(channels, half, 1),
            nn.SiLU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(half, channels, 1),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The input and what the branch adds to it."""
        return x + self.branch(x)


def blocks(channels: int) -> list[nn.Module]:
    """The residual blocks at 1/8 of the image's sides, in one direction."""
    return [Residual(channels) for _ in range(BLOCKS)]


def down(inputs: int, outputs: int) -> nn.Module:
    """Halves the sides."""
    return nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)


def up(inputs: int, outputs: int) -> nn.Module:
    """Doubles the sides."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1), nn.PixelShuffle(2))
