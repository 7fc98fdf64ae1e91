"""What a data set's images cost and read without training: every curve, and the envelope in both countings.

python -m datagen --preset cpu --out DATA; python benchmarks/baselines.py DATA [--images 48]
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch
import tyro

from datagen import dataset, shards
from datagen.dataset import TextImages
from datagen.spec import Split
from models.baselines.registry import baselines
from models.recognizers import held_out, registry
from sweep.baselines import run
from sweep.baselines.points import COUNTINGS, Point, envelope, points


@dataclass(frozen=True)
class Arguments:
    """Measures all baselines with english_g2, and prints them."""

    data: tyro.conf.Positional[Path]
    """A finished data set, to which nothing is written."""
    images: int = 240
    """Validation and test images that are looked at, at most, of each."""
    threads: int = 2
    """Cores."""
    keep: Path | None = None
    """A Parquet file to which the readings go."""


def main() -> None:
    """Prints points of the validation images by curve, then envelopes and texts on the test images."""
    arguments = tyro.cli(Arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    val, test = (_first(arguments.data, split, arguments.images) for split in ("val", "test"))
    measuring = run.Measuring(registry.english_g2(), val, test)
    started = time.perf_counter(), time.process_time()
    run.run(measuring, baselines())
    print(f"{time.perf_counter() - started[0]:.0f} s, {time.process_time() - started[1]:.0f} core-seconds")
    texts = shards.read(arguments.data, "train", ("text",))["text"].to_list()
    run.run_texts(measuring, "english_g2", held_out.opened(())[0], texts)
    frame = measuring.frame()
    if arguments.keep is not None:
        frame.write_parquet(arguments.keep)
    print_all(frame, measuring.val.images.shape[1] * measuring.val.images.shape[2])


def print_all(frame: pl.DataFrame, pixels: int) -> None:
    """Curves, envelopes and texts."""
    val, test = (points(frame, split, pixels) for split in ("val", "test"))
    print_points("validation images", val)
    for counting in COUNTINGS:
        print_points(f"test images: the envelope, {counting} bytes", envelope(val, test, counting))
    print_points("test images: the text itself", [each for each in test if each.name.startswith(run.TEXT)])


def print_points(title: str, found: Sequence[Point]) -> None:
    """A line a setting."""
    print(f"\n{title}\n{'curve':30} {'setting':8} images     bpp  without repeats  accuracy  PSNR  encoding")
    for each in found:
        psnr = "    -" if each.psnr_db is None else f"{each.psnr_db:5.1f}"
        rates = f"{each.bpp:7.4f}  {each.bpp_own:15.4f}"
        figures = f"{rates}  {each.accuracy:8.3f} {psnr}  {each.encode_ms:5.1f} ms"
        print(f"{each.name:30} {each.setting:8} {each.images:6} {figures}")


def _first(folder: Path, split: Split, images: int) -> TextImages:
    data = dataset.load(folder, split)
    return TextImages(data.images[:images], data.texts[:images])


if __name__ == "__main__":
    main()
