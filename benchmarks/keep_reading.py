"""What a file takes from which the recognizer still reads what it reads in the original, on a run's test images.

python benchmarks/keep_reading.py RUN [--images 120] [--full 24]
"""

import statistics
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import tyro

from datagen import dataset
from models import reading
from models.files import tfic
from models.files.model import QUALITIES
from models.keeping import BEST, smallest
from sweep.results import export, just_readable, points, readings
from sweep.results.folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Prints rates and shares of kept readings: of the front's points, of fixed positions of the run's dial, and
    of the positions that compress --keep-reading finds for each image."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    images: int = 120
    """Test images, from the first on."""
    step: int = 10
    """Between the fixed positions."""
    full: int = 24
    """Of so many images, all positions are tried."""


class Tried(NamedTuple):
    """A file of an image at a position of the dial."""

    bytes: int
    kept: bool
    """Whether what is read in the original is read in it."""


Try = Callable[[int, int], Tried]
"""An image's place and a position of the dial -> its file."""


def main() -> None:
    """Prints the tables."""
    arguments = tyro.cli(Arguments)
    run = RunFolder.load(arguments.run)
    frame, data = points.read(run.path), run.config.data
    pixels, count = data.width * data.height, min(arguments.images, data.test)
    print(just_readable.said(just_readable.of_run(frame, readings.read(run.path), pixels)))
    tried, asked = _tried(run), set[tuple[int, int]]()

    def search(image: int, quality: int) -> bool:
        asked.add((image, quality))
        return tried(image, quality).kept

    found = [smallest(lambda quality, image=image: search(image, quality)) for image in range(count)]
    chosen = [BEST if quality is None else quality for quality in found]
    print("quality     bpp   kept")
    for quality in range(QUALITIES[0], BEST + 1, arguments.step):
        _print(f"{quality:7d}", [tried(image, quality) for image in range(count)], pixels)
    _print("  found", [tried(image, quality) for image, quality in enumerate(chosen)], pixels)
    print(f"files made for each image: {len(asked) / count:.1f}; quartiles of the positions: {_quartiles(chosen)}")
    _print_full(tried, chosen[: arguments.full], pixels)


def _tried(run: RunFolder) -> Try:
    model = export.dial(run, points.read(run.path).filter("on_front"))
    recognizer, images = reading.recognizer(model), dataset.load(run.data, "test").images

    @cache
    def original(image: int) -> str:
        return reading.text(images[image], recognizer, str(image))

    @cache
    def tried(image: int, quality: int) -> Tried:
        data = tfic.encode(model, images[image], quality)
        read = reading.text(tfic.decode(model, data), recognizer, str(image))
        return Tried(len(data), read == original(image))

    return tried


def _print_full(tried: Try, chosen: list[int], pixels: int) -> None:
    """What is found beside the smallest files that there are."""
    every = [[tried(image, quality) for quality in QUALITIES] for image in range(len(chosen))]
    least = [min(files, key=lambda file: (not file.kept, file.bytes if file.kept else -file.bytes)) for files in every]
    halved = [files[min(len(files) - 1, bisect_left(files, True, key=lambda file: file.kept))] for files in every]
    print(
        f"of the first {len(chosen)} images, what is found, what bisection would find, and the least of all positions:"
    )
    _print("  found", [files[quality] for files, quality in zip(every, chosen, strict=True)], pixels)
    _print(" halved", halved, pixels)
    _print("  least", least, pixels)


def _print(name: str, files: list[Tried], pixels: int) -> None:
    if files:
        bpp = 8 * statistics.fmean(file.bytes for file in files) / pixels
        print(f"{name}  {bpp:.4f}  {statistics.fmean(file.kept for file in files):5.1%}")


def _quartiles(positions: list[int]) -> str:
    return ", ".join(f"{value:.0f}" for value in statistics.quantiles(positions, n=4))


if __name__ == "__main__":
    main()
