"""Neighborhood attention against the plain way, which copies the window of every element: time and memory.

python benchmarks/attention.py
"""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import tyro
from torch import Tensor

from models.codecs.neighborhood_attention import NeighborhoodAttention

CHANNELS, HEADS, WINDOW = 128, 8, 7
"""Of TinyLIC's first level."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Measures both on a map, forward, then forward and backward, each in a process of its own."""

    side: int = 128
    """Elements: those of the first map of an image of 256x256 pixels."""
    repeats: int = 5
    """The fastest counts."""
    threads: int = 1


def main() -> None:
    """Prints seconds, MiB at the peak and their ratios."""
    arguments = tyro.cli(Arguments)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for backward in (False, True):
            (fast, small), (slow, large) = (
                pool.apply(_measured, (name, backward, arguments)) for name in ("tiles", "windows")
            )
            print(
                f"{'forward and backward' if backward else 'forward'}: {fast:.3f} s, {small:.0f} MiB; every window "
                f"copied: {slow:.3f} s, {large:.0f} MiB; {slow / fast:.1f} times as fast, "
                f"{small / large:.2f} of the memory"
            )


def _measured(name: str, backward: bool, arguments: Arguments) -> tuple[float, float]:
    """Seconds of a pass, and MiB that the process grew by at its peak."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    attention = NeighborhoodAttention(CHANNELS, HEADS, WINDOW)
    attend = attention if name == "tiles" else lambda x: windows(attention, x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = min(_seconds(attend, backward, arguments.side) for _ in range(arguments.repeats))
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10


def _seconds(attend: Callable[[Tensor], Tensor], backward: bool, side: int) -> float:
    x = torch.randn(1, side, side, CHANNELS, requires_grad=backward)
    started = time.perf_counter()
    with torch.set_grad_enabled(backward):
        out = attend(x)
    if backward:
        out.sum().backward()
    return time.perf_counter() - started


def windows(attention: NeighborhoodAttention, x: Tensor) -> Tensor:
    """The same attention, with the keys and values of each element's window side by side."""
    (rows, row_bias), (columns, column_bias) = (_along(side, attention.window) for side in x.shape[1:3])
    q, k, v = attention.qkv(x).unflatten(3, (3, attention.heads, -1)).unbind(3)
    k, v = (part[:, rows][:, :, :, columns].transpose(2, 3).flatten(3, 4) for part in (k, v))
    bias = attention.rpb[:, row_bias[:, None, :, None], column_bias[:, None]].flatten(3).permute(1, 2, 0, 3)
    scores = torch.einsum("byxnd,byxknd->byxnk", q, k) * q.shape[-1] ** -0.5 + bias
    return attention.proj(torch.einsum("byxnk,byxknd->byxnd", scores.softmax(4), v).flatten(3))


def _along(length: int, window: int) -> tuple[Tensor, Tensor]:
    """The keys of each query along one side, and where the table has their bias."""
    query = torch.arange(length)[:, None]
    keys = (query - window // 2).clamp(0, length - window) + torch.arange(window)
    return keys, keys - query + window - 1


if __name__ == "__main__":
    main()
