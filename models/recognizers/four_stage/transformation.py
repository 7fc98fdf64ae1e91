"""Transformation of the four-stage framework: a thin-plate spline that straightens a line of text, as in RARE (Shi et
al., "Robust scene text recognition with automatic rectification", CVPR 2016)."""

from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-6
"""Added to a pixel's distances; with it the grid is the published one to the last bit."""


class Tps(nn.Module):
    """Finds the text's upper and lower edge and samples the image between them; coordinates range from -1 to 1."""

    def __init__(self, height: int, width: int, fiducials: int = 20) -> None:
        """`height` and `width` are the output's, pixels; half of the fiducial points lie on each edge."""
        super().__init__()
        self.LocalizationNetwork = _Localization(fiducials)
        self.GridGenerator = _GridGenerator(height, width, fiducials)

    def forward(self, images: Float[Tensor, "b c _h _w"]) -> Float[Tensor, "b c h w"]:
        """Points outside the image take the color of its border."""
        # float32: bfloat16's steps near the edges are a fifth of a pixel.
        with torch.autocast(images.device.type, enabled=False):
            images = images.float()
            grid = self.GridGenerator(self.LocalizationNetwork(images))
            return F.grid_sample(images, grid, padding_mode="border", align_corners=True)


class _Localization(nn.Module):
    """Image -> fiducial points, those of the upper edge first, each edge from left to right."""

    def __init__(self, fiducials: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(128, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(256, 512, 3, padding=1, bias=False),
            nn.BatchNorm2d(512),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.localization_fc1 = nn.Sequential(nn.Linear(512, 256), nn.ReLU())
        self.localization_fc2 = nn.Linear(256, 2 * fiducials)

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b f 2"]:
        features = self.conv(images).flatten(1)
        return self.localization_fc2(self.localization_fc1(features)).unflatten(1, (-1, 2))


class _GridGenerator(nn.Module):
    """Fiducial points -> where each pixel of the output lies in the image; linear in the points."""

    inv_delta_C: Float[Tensor, "f3 f3"]
    P_hat: Float[Tensor, "n f3"]

    def __init__(self, height: int, width: int, fiducials: int) -> None:
        super().__init__()
        self.size = height, width
        straight, pixels = _edges(fiducials), _centers(height, width)
        self.register_buffer("inv_delta_C", _system(straight).inverse().float())
        self.register_buffer("P_hat", _terms(pixels, straight, EPSILON).float())

    def forward(self, points: Float[Tensor, "b f 2"]) -> Float[Tensor, "b h w 2"]:
        coefficients = self.inv_delta_C[:, : points.shape[1]] @ points
        return torch.unflatten(self.P_hat @ coefficients, 1, self.size)


def _edges(fiducials: int) -> Float[Tensor, "f 2"]:
    x = torch.linspace(-1, 1, fiducials // 2, dtype=torch.float64)
    return torch.cat([torch.stack([x, torch.full_like(x, y)], 1) for y in (-1.0, 1.0)])


def _centers(height: int, width: int) -> Float[Tensor, "n 2"]:
    y, x = ((torch.arange(size, dtype=torch.float64) * 2 + 1) / size - 1 for size in (height, width))
    return torch.cartesian_prod(y, x).flip(1)


def _terms(
    places: Float[Tensor, "n 2"], fiducials: Float[Tensor, "f 2"], epsilon: float = 0.0
) -> Float[Tensor, "n f3"]:
    """What a spline sums at each place: 1, x, y, and r² log r of the distance to each fiducial point."""
    differences = places[:, None] - fiducials
    distances = cast(Tensor, differences.norm(dim=2))  # pyright: ignore[reportUnknownMemberType]
    return torch.cat([torch.ones_like(places[:, :1]), places, torch.xlogy(distances.square(), distances + epsilon)], 1)


def _system(fiducials: Float[Tensor, "f 2"]) -> Float[Tensor, "f3 f3"]:
    """The equations of a spline's coefficients: its values at the fiducial points, and no bending at infinity."""
    affine = torch.cat([fiducials, torch.ones_like(fiducials[:, :1])], 1).T
    return torch.cat([_terms(fiducials, fiducials), torch.cat([torch.zeros(3, 3), affine], 1)])
