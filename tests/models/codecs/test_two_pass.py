"""y in two passes: what tells of an element is coded before the element."""

import pytest
import torch
from torch import Tensor

from models.codecs import small
from models.codecs.checkerboard import EVEN, ODD, Positions
from models.codecs.two_pass import TwoPass

M, N = 4, 3


@pytest.fixture
def codec() -> TwoPass:
    torch.manual_seed(0)
    return small.codec(M, N).eval()


def at(values: Tensor, positions: Positions) -> Tensor:
    return torch.stack([values[:, :, row::2, column::2] for row, column in positions])


@torch.no_grad()
def test_odd_positions_are_told_of_by_even_ones_and_even_ones_by_z_alone(codec: TwoPass) -> None:
    z_hat = torch.randn(1, N, 1, 2).round()
    y = 5 * torch.randn(1, M, 8, 16)
    scales, means, y_hat = codec.context(y, z_hat)
    assert scales.shape == means.shape == y_hat.shape == y.shape
    assert (y_hat - y).abs().max() <= 0.5 + 1e-4

    moved = y.clone()
    moved[:, :, 2, 4] += 40
    other_scales, other_means, _ = codec.context(moved, z_hat)
    changed = (other_means != means) | (other_scales != scales)
    assert not at(changed, EVEN).any()
    assert {(row, column) for _, _, row, column in at_odd(changed)} == around(2, 4)

    moved[:, :, 3, 4] += 40
    assert all(map(torch.equal, codec.context(moved, z_hat)[:2], (other_scales, other_means)))


def at_odd(changed: Tensor) -> list[tuple[int, ...]]:
    """Elements at odd positions that have changed."""
    assert at(changed, ODD).any()
    return [(*place,) for place in changed.nonzero().tolist()]


def around(row: int, column: int) -> set[tuple[int, int]]:
    """The odd positions of the 3 x 3 squares around an even one's square."""
    rows, columns = ((2 * (place // 2 - 1), 2 * (place // 2 + 2)) for place in (row, column))
    return {(i, j) for i in range(*rows) for j in range(*columns) if (i + j) % 2}


@torch.no_grad()
def test_what_is_decoded_is_what_forward_computes(codec: TwoPass) -> None:
    codec.update_tables()
    x = torch.rand(1, 3, 64, 128)
    assert torch.equal(codec.decompress(codec.compress(x), 64, 128), codec(x).x_hat.clamp(0, 1))
