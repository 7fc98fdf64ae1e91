"""What training against two recognizers does to three readers: english_g2, PP-OCRv4 and Tesseract, held out.

python benchmarks/teachers.py OUT [--scale 0.25]

Needs the extras ppocr and tesseract.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import scaled
import tyro

from models.recognizers import ensemble
from sweep.results import points
from sweep.results.pareto import Objectives, accuracy_at

CASES = {"english_g2": ("english_g2",), "both": ("english_g2", "ppocr"), "ppocr": ("ppocr",)}
READERS = {
    "english_g2": ("accuracy_english_g2",),
    "ppocr": ("accuracy_ppocr", "accuracy_rapidocr"),
    "tesseract": ("accuracy_tesseract",),
}
"""By columns of the table of points; ONNX Runtime reads as the teacher that is converted from the same file."""
RATES = (0.05, 0.07, 0.1, 0.14)
"""Bits per pixel at which they are compared, as far as each front reaches."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Runs a sweep of each case on the same images, and compares who reads their fronts."""

    out: tyro.conf.Positional[Path]
    """Folder for the runs; finished ones are not run again."""
    scale: float = 0.25
    """Training steps, as a share of 2,600 in stage 1 and 3,800 in stage 2."""
    budget: int = 16
    """Points a run."""


def main() -> None:
    """Prints each reader's accuracy on each case's front, at each rate."""
    arguments = tyro.cli(Arguments)
    frames = {case: _read(case, names, arguments) for case, names in CASES.items()}
    print(f"reader      trained against  {''.join(f'{rate:8.2f} bpp' for rate in RATES)}  uncompressed")
    for reader in READERS:
        for case, frame in frames.items():
            print(f"{reader:11} {case:15}  {_line(frame, reader)}")


def _read(case: str, names: tuple[str, ...], arguments: Arguments) -> pl.DataFrame:
    recognizers = ensemble.parse(names)
    config = scaled.config(arguments.scale, data=scaled.data(), budget=arguments.budget, recognizers=recognizers)
    run = scaled.finished(arguments.out / case, config)
    return points.read(run.path).with_columns(pl.col("accuracy").alias(f"accuracy_{names[0]}"))


def _line(frame: pl.DataFrame, reader: str) -> str:
    column = next((name for name in READERS[reader] if name in frame.columns and frame[name].count()), None)
    if column is None:
        return "did not read it"
    read = frame.drop_nulls(column)
    curve = sorted(Objectives(*pair) for pair in read.filter("on_front").select("bpp", column).iter_rows())
    values = [*(accuracy_at(curve, rate) for rate in RATES), *read.filter(kind="uncompressed")[column]]
    return "".join("           -" if value is None else f"{value:12.3f}" for value in values)


if __name__ == "__main__":
    main()
