"""Encoding without PyTorch against encoding with it, on one core: time and memory.

python benchmarks/device.py IMAGE --model model.pt [--quality 50]
"""

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tyro
from numpy.typing import NDArray

Encode = Callable[[NDArray[Any]], bytes]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Encodes an image both ways, each in a process of its own that imports no more than it needs."""

    image: tyro.conf.Positional[Path]
    """A picture in color."""
    model: Path
    """Codec that python -m sweep.pick exported."""
    quality: int | None = None
    """Position of a model's dial."""
    repeats: int = 50
    """The fastest counts."""


class Cost(NamedTuple):
    """What a way to encode takes."""

    start_s: float
    """From the imports to the first file."""
    image_ms: float
    """Each further file."""
    peak_mib: float
    """The whole process."""


def main() -> None:
    """Prints what both take, and the ratios."""
    arguments = tyro.cli(Arguments)
    # A process is charged with what the one that starts it holds: this one holds little.
    with (
        tempfile.TemporaryDirectory() as name,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
    ):
        folder = Path(name)
        pool.apply(_export, (arguments, folder))
        costs = [pool.apply(_measured, (way, arguments, folder)) for way in (_onnx_runtime, _pytorch)]
    for title, cost in zip(("ONNX Runtime", "PyTorch"), costs, strict=True):
        print(
            f"{title:12}  first file {cost.start_s:6.2f} s   each further {cost.image_ms:7.2f} ms   "
            f"memory {cost.peak_mib:5.0f} MiB"
        )
    start, image, peak = (ours / other for ours, other in zip(*costs, strict=True))
    print(f"{'ratio':12}  first file {start:6.3f}     each further {image:7.3f}      memory {peak:5.3f}")


def _export(arguments: Arguments, folder: Path) -> None:
    from models.device.export import export
    from models.files import pictures
    from models.files.model import Size, load_model

    height, width = pictures.read(arguments.image).shape[:2]
    export(load_model(arguments.model), folder, Size(width, height), arguments.quality)


def _measured(way: Callable[[Arguments, Path], Encode], arguments: Arguments, folder: Path) -> Cost:
    from PIL import Image

    image = np.asarray(Image.open(arguments.image).convert("RGB"))
    started = time.perf_counter()
    encode = way(arguments, folder)
    encode(image)
    start = time.perf_counter() - started
    fastest = min(_seconds(encode, image) for _ in range(arguments.repeats))
    return Cost(start, 1e3 * fastest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)


def _onnx_runtime(arguments: Arguments, folder: Path) -> Encode:
    os.environ["OMP_NUM_THREADS"] = "1"
    from models.device.encode import GRAPH, TABLES, Encoder

    with np.load(folder / TABLES) as content:
        return Encoder((folder / GRAPH).read_bytes(), content).encode


def _pytorch(arguments: Arguments, folder: Path) -> Encode:
    import torch

    from models.files import tfic
    from models.files.model import load_model

    torch.set_num_threads(1)
    model = load_model(arguments.model)
    return lambda image: tfic.encode(model, image, arguments.quality)


def _seconds(encode: Encode, image: NDArray[Any]) -> float:
    started = time.perf_counter()
    encode(image)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
