"""Neighborhood attention is attention over the whole map under a mask, wherever the tiles lie."""

import pytest
import torch
from torch import Tensor

from models.codecs.neighborhood_attention import NeighborhoodAttention, spans

SHAPES = [(16, 16, 7), (4, 16, 7), (5, 3, 7), (1, 4, 3), (2, 2, 3), (24, 40, 7), (9, 70, 7), (17, 31, 3), (8, 130, 7)]
"""Height, width and window: maps of one tile and of many, with sides shorter than the window."""


def along(length: int, window: int) -> tuple[Tensor, Tensor]:
    """For each query and key of a side: their distance, and whether the key lies in the query's window."""
    reach = min(window, length)
    query, key = torch.arange(length)[:, None], torch.arange(length)
    first = (query - reach // 2).clamp(0, length - reach)
    return key - query, (key >= first) & (key < first + reach)


def dense(attention: NeighborhoodAttention, x: Tensor) -> Tensor:
    """All queries against all keys."""
    height, width, window = x.shape[1], x.shape[2], attention.window
    (down, down_seen), (across, across_seen) = along(height, window), along(width, window)
    seen = (down_seen[:, None, :, None] & across_seen[:, None]).flatten(2).flatten(0, 1)
    down, across = (places.clamp(1 - window, window - 1) + window - 1 for places in (down, across))
    bias = attention.rpb[:, down[:, None, :, None], across[:, None]].flatten(3).flatten(1, 2)
    q, k, v = attention.qkv(x).flatten(1, 2).unflatten(2, (3, attention.heads, -1)).permute(2, 0, 3, 1, 4)
    scores = q @ k.mT / q.shape[-1] ** 0.5 + bias
    out = scores.masked_fill(~seen, -torch.inf).softmax(3) @ v
    return attention.proj(out.transpose(1, 2).flatten(2)).unflatten(1, (height, width))


@pytest.mark.parametrize(("height", "width", "window"), SHAPES)
def test_neighborhood_attention_is_masked_attention(height: int, width: int, window: int) -> None:
    torch.manual_seed(0)
    attention = NeighborhoodAttention(12, 3, window)
    torch.nn.init.normal_(attention.rpb)
    torch.nn.init.normal_(attention.qkv.weight, std=0.5)
    x = torch.randn(2, height, width, 12)
    gradients = []
    for attend in (attention, lambda x: dense(attention, x)):
        given = x.clone().requires_grad_()
        out = attend(given)
        gradients.append((out, *torch.autograd.grad(out.square().sum(), (given, attention.rpb))))
    for found, expected in zip(*gradients, strict=True):
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", range(1, 150, 7))
@pytest.mark.parametrize("window", [3, 7])
def test_tiles_cover_a_side_once_and_hold_every_window(length: int, window: int) -> None:
    covered = []
    for span in spans(length, window):
        for tile in range(span.tiles):
            start, key_start = span.start + tile * span.size, span.key_start + tile * span.size
            covered += range(start, start + span.size)
            _, seen = along(length, window)
            keys = seen[start : start + span.size].any(0).nonzero().flatten()
            assert (key_start <= keys[0], keys[-1] < key_start + span.keys <= length) == (True, True)
    assert covered == list(range(length))


def test_tables_made_without_gradients_serve_training() -> None:
    attention = NeighborhoodAttention(12, 3, 7)
    x = torch.randn(1, 19, 21, 12)
    with torch.inference_mode():
        attention(x)
    attention(x).sum().backward()
    assert attention.rpb.grad is not None
