"""Neighborhood attention in plain PyTorch: each element of a map attends to the window of elements around it.

The map is cut into tiles. A tile's windows overlap, so that their union is small: all of the tile's queries meet all of
the union's keys in one dense attention, and a bias of minus infinity keeps each query to its own window.
"""

from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

TILE = 8
"""Elements a side of a tile: smaller ones copy more keys, larger ones multiply more that the bias hides."""
MOST_TILES = 8
"""Tiles along a side that one dense attention takes, which bounds the memory."""
MLP_RATIO = 2
"""Hidden units of a block's perceptron over its channels."""
SPREAD = 0.02
"""Standard deviation of fresh weights."""


class Span(NamedTuple):
    """Tiles along one side of a map, whose windows all lie alike."""

    length: int
    """Elements of the whole side."""
    start: int
    """First query of the first tile."""
    tiles: int
    size: int
    """Queries a tile."""
    key_start: int
    """First key of the first tile."""
    keys: int
    """Keys a tile."""

    def queries_of(self, x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
        """The queries of each tile: `dim` becomes the number of tiles, a new last dimension has their elements."""
        return x.narrow(dim, self.start, self.tiles * self.size).unfold(dim, self.size, self.size)

    def keys_of(self, x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
        """The keys of each tile, laid out as `queries_of` lays out queries; neighboring tiles share some."""
        length = self.keys + (self.tiles - 1) * self.size
        return x.narrow(dim, self.key_start, length).unfold(dim, self.keys, self.size)


class NeighborhoodAttention(nn.Module):
    """Attention of each element to the `window` x `window` elements around it, with a learned bias by relative place
    (Hassani et al., "Neighborhood attention transformer", CVPR 2023).

    Near a border the window is shifted into the map, not padded; on a side shorter than it, it is the whole side.
    """

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = _linear(channels, 3 * channels)
        self.rpb = nn.Parameter(torch.empty(heads, 2 * window - 1, 2 * window - 1))
        nn.init.trunc_normal_(self.rpb, std=SPREAD)
        self.proj = _linear(channels, channels)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        """The attended map."""
        qkv = self.qkv(x).unflatten(3, (3, self.heads, -1))
        rows = [
            torch.cat([self._attend(qkv, down, across) for across in spans(x.shape[2], self.window)], 2)
            for down in spans(x.shape[1], self.window)
        ]
        return self.proj(torch.cat(rows, 1))

    def _attend(self, qkv: Float[Tensor, "b h w 3 n d"], down: Span, across: Span) -> Float[Tensor, "b h2 w2 c"]:
        """The part of the map that the spans' tiles cover."""
        q = _tokens(across.queries_of(down.queries_of(qkv[:, :, :, :1], 1), 2))
        kv = _tokens(across.keys_of(down.keys_of(qkv[:, :, :, 1:], 1), 2))
        out = F.scaled_dot_product_attention(q[0], kv[0], kv[1], self._bias(down, across))
        tiles = out.transpose(1, 2).reshape(-1, down.tiles, across.tiles, down.size, across.size, self.proj.in_features)
        return tiles.transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def _bias(self, down: Span, across: Span) -> Float[Tensor, "1 n q k"]:
        """What is added to the scores of each tile: minus infinity outside of a query's window."""
        places = _relation(down, across, self.window, self.rpb.device)
        table = F.pad(self.rpb.flatten(1), (0, 1), value=-torch.inf)
        return table.index_select(1, places.flatten()).view(1, -1, *places.shape)


class Block(nn.Module):
    """Attention and a perceptron, each added to its input; in training either is left out at a rate of `drop`."""

    def __init__(self, channels: int, heads: int, window: int, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = NeighborhoodAttention(channels, heads, window)
        self.norm2 = nn.LayerNorm(channels)
        hidden = MLP_RATIO * channels
        layers = [("fc1", _linear(channels, hidden)), ("act", nn.GELU()), ("fc2", _linear(hidden, channels))]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.drop_path = StochasticDepth(drop, "row")

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        """The input and what both add to it."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class ResidualGroup(nn.Module):
    """Blocks, as many as `drops`, whose result is added to their input."""

    def __init__(self, channels: int, heads: int, window: int, drops: list[float]) -> None:
        super().__init__()
        blocks = nn.Sequential(*(Block(channels, heads, window, drop) for drop in drops))
        self.residual_group = nn.Sequential(OrderedDict(blocks=blocks))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The input and what the blocks make of it."""
        return x + self.residual_group(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def spans(length: int, window: int) -> Iterator[Span]:
    """The tiles of a side in order: first those at its start, then those that no border touches, then those at its end.

    The last tile takes the rest, so that it may be smaller or larger than the others.
    """
    radius = window // 2
    inner = (length - radius - TILE) // TILE
    if inner < 0:
        yield Span(length, 0, 1, length, 0, length)
        return
    yield Span(length, 0, 1, TILE, 0, max(TILE + radius, window))
    for first in range(1, inner + 1, MOST_TILES):
        tiles = min(MOST_TILES, inner + 1 - first)
        yield Span(length, first * TILE, tiles, TILE, first * TILE - radius, TILE + 2 * radius)
    start = (inner + 1) * TILE
    key_start = min(start - radius, length - window)
    yield Span(length, start, 1, length - start, key_start, length - key_start)


# What is made in inference mode could not serve a later training.
@lru_cache(maxsize=256)
@torch.inference_mode(False)
def _relation(down: Span, across: Span, window: int, device: torch.device) -> Int[Tensor, "q k"]:
    """Index of each query's and key's bias in the flattened table; one past the table's end hides the key."""
    (row, row_hidden), (column, column_hidden) = (_along(span, window) for span in (down, across))
    side = 2 * window - 1
    places = row[:, None, :, None] * side + column[:, None]
    places[row_hidden[:, None, :, None] | column_hidden[:, None]] = side**2
    return places.flatten(2).flatten(0, 1).to(device)


def _along(span: Span, window: int) -> tuple[Int[Tensor, "q k"], Bool[Tensor, "q k"]]:
    """How far each key is from each query along one side, counted from 0, and whether it is hidden from the query."""
    query = span.start + torch.arange(span.size)[:, None]
    key = span.key_start + torch.arange(span.keys)
    reach = min(window, span.length)
    first = (query - reach // 2).clamp(0, span.length - reach)
    return (key - query + window - 1).clamp(0, 2 * window - 2), (key < first) | (key >= first + reach)


def _tokens(tiles: Float[Tensor, "b y x p n d u v"]) -> Float[Tensor, "p t n l d"]:
    """Each tile's elements in a row: the leading dimension is query, or key and value; t counts tiles, l elements."""
    return tiles.permute(0, 1, 2, 6, 7, 3, 4, 5).flatten(3, 4).flatten(0, 2).permute(2, 0, 3, 1, 4)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.trunc_normal_(layer.weight, std=SPREAD)
    nn.init.zeros_(layer.bias)
    return layer
