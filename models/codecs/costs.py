"""What each codec costs on this machine."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.live import Live
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from models.codecs import registry as codecs

HEIGHT, WIDTH = 64, 256
"""Pixels of the image that is coded."""
REPEATS = 5


class Cost(NamedTuple):
    """What a codec with random weights costs."""

    parameters: int
    macs_per_pixel: float
    """Multiplications with additions, of encoder, entropy models and decoder together."""
    encode_ms: float
    """Median, from pixels to the entropy-coded stream."""
    decode_ms: float


def show(names: Sequence[str], console: Console) -> None:
    """Prints a table, a row as soon as a codec is measured.

    Raises:
        ModelError: no codec has one of the names.
    """
    for name in names:
        codecs.require(name)
    table = Table("codec", caption_justify="left")
    for title in ("parameters", "kMAC/pixel", "encode ms", "decode ms"):
        table.add_column(title, justify="right")
    with Live(table, console=console, auto_refresh=False) as live:
        for name in names:
            table.caption = f"measuring {name}"
            live.refresh()
            table.add_row(name, *_figures(measure(name)))
        table.caption = f"an image of {HEIGHT}x{WIDTH} pixels, {torch.get_num_threads()} threads"


@torch.no_grad()
def measure(name: str) -> Cost:
    """Builds a codec and codes an image of noise.

    Raises:
        ModelError: no codec has that name.
    """
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    codec = codecs.build(name).eval()
    codec.update_tables()
    x = torch.rand(1, 3, HEIGHT, WIDTH)
    with FlopCounterMode(display=False) as counter:
        codec(x)
    stream = codec.compress(x)
    return Cost(
        parameters=sum(parameter.numel() for parameter in codec.parameters()),
        macs_per_pixel=counter.get_total_flops() / 2 / (HEIGHT * WIDTH),
        encode_ms=_median_ms(lambda: codec.compress(x)),
        decode_ms=_median_ms(lambda: codec.decompress(stream, HEIGHT, WIDTH)),
    )


def _figures(cost: Cost) -> tuple[str, ...]:
    return (
        f"{cost.parameters:,}",
        f"{cost.macs_per_pixel / 1000:,.1f}",
        f"{cost.encode_ms:,.0f}",
        f"{cost.decode_ms:,.0f}",
    )


def _median_ms(work: Callable[[], Any]) -> float:
    work()
    times: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
