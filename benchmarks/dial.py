"""What dials give several readers on several sets of images: accuracy at equal rates, beside the uncompressed images.

python -m datagen --preset release --out DATA; python benchmarks/dial.py DATA [--models models/shipped/dial.pt]

Needs `chromium` for --browser.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from foreign import browser, lines
from numpy.typing import NDArray

from datagen import dataset
from datagen.dataset import TextImages
from models.files import pixels, tfic
from models.files.model import QUALITIES, RateDial, load_model
from models.metrics import mean_accuracy
from models.recognizers import held_out
from models.recognizers import registry as recognizers
from models.shipped import DIAL

RATES = (0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.13)
"""Bits per pixel of whole files."""
STEP = 25
"""Positions of a dial between two that are measured."""
Read = Callable[[NDArray[Any]], str]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Compresses test images along each dial, and has all readers that are here read them."""

    data: tyro.conf.Positional[tuple[Path, ...]] = ()
    """Finished data sets."""
    models: tuple[Path, ...] = (DIAL,)
    """Dials."""
    images: int = 300
    """Of the test split of each, at most."""
    browser: int = 0
    """Lines of a browser's page that are read as well."""
    threads: int = 2
    """Cores."""


def main() -> None:
    """Prints a table for each set of images: a row a model and reader."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    readers, dials = _readers(), {path: load_model(path) for path in arguments.models}
    for name, images in _sets(arguments):
        print(f"{name}, {len(images.texts)} images | uncompressed | {' | '.join(f'{rate:g} bpp' for rate in RATES)}")
        plain = {reader: _accuracy(read, images.images, images.texts) for reader, read in readers.items()}
        for path, dial in dials.items():
            assert isinstance(dial, RateDial), f"{path} has one rate"
            for reader, found in _along(dial, images, readers).items():
                row = " | ".join(f"{found(rate):.3f}" for rate in RATES)
                print(f"{path} {dial.fingerprint.hex()[:8]}, {reader} | {plain[reader]:.3f} | {row}", flush=True)


def _sets(arguments: Arguments) -> Iterator[tuple[str, TextImages]]:
    for folder in arguments.data:
        test = dataset.load(folder, "test")
        yield folder.name, TextImages(test.images[: arguments.images], test.texts[: arguments.images])
    if arguments.browser:
        yield "browser", browser(lines(arguments.browser, seed=1))


def _readers() -> dict[str, Read]:
    english = recognizers.english_g2()

    def read(image: NDArray[Any]) -> str:
        [found] = english.read(pixels.to_float(image))
        return found.text

    engines, _ = held_out.opened(())
    others = {name: lambda image, engine=engine: engine.read(image).text for name, engine in engines.items()}
    return {"english_g2": read, **others}


def _along(dial: RateDial, images: TextImages, readers: dict[str, Read]) -> dict[str, Callable[[float], float]]:
    """Of each reader, accuracy over rate; no number where the dial does not reach."""
    rates, read = [], {name: list[float]() for name in readers}
    for quality in QUALITIES[::STEP]:
        files = [tfic.encode(dial, image, quality) for image in images.images]
        restored = np.stack([tfic.decode(dial, file) for file in files])
        rates.append(8 * statistics.fmean(map(len, files)) / restored[0, :, :, 0].size)
        for name, reader in readers.items():
            read[name].append(_accuracy(reader, restored, images.texts))
    return {name: _curve(rates, accuracies) for name, accuracies in read.items()}


def _curve(rates: list[float], accuracies: list[float]) -> Callable[[float], float]:
    return lambda rate: float(np.interp(np.log(rate), np.log(rates), accuracies, left=np.nan, right=np.nan))


def _accuracy(read: Read, images: NDArray[Any], texts: list[str]) -> float:
    return mean_accuracy(map(read, images), texts)


if __name__ == "__main__":
    main()
