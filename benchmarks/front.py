"""What a run's front is worth against its base curve, from its points.parquet.

python benchmarks/front.py RUN
"""

import statistics
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import tyro

from sweep import points
from sweep.pareto import accuracy_at


@dataclass(frozen=True)
class Arguments:
    """Prints a run's front beside its base curve at equal rate."""

    run: tyro.conf.Positional[Path]
    """Folder of a run."""


def main() -> None:
    """Prints a table and the figures that README.md quotes."""
    frame = points.read(tyro.cli(Arguments).run)
    base = points.complete(frame, "base")
    tfic = points.complete(frame, "tfic").filter("on_front")
    curve = points.objectives(base)
    gains = {point: accuracy_at(curve, point.bpp) for point in points.objectives(tfic)}
    print("    bpp  accuracy  base at that rate   gain")
    for point, reference in gains.items():
        known = "      -       -" if reference is None else f"{reference:7.3f}  {point.accuracy - reference:+6.3f}"
        print(f"{point.bpp:7.4f}  {point.accuracy:8.3f}          {known}")
    print_figures(frame, [point.accuracy - reference for point, reference in gains.items() if reference is not None])


def print_figures(frame: pl.DataFrame, gains: list[float]) -> None:
    """The run in a few numbers."""
    summary = points.front_summary(frame)
    coded = frame.filter(pl.col("kind") == "tfic", pl.col("status") == "complete")
    print(f"points: {dict(frame.group_by('kind', 'status').len().sort('kind').select('kind', 'len').iter_rows())}")
    print(f"uncompressed accuracy: {summary['uncompressed_accuracy']:.3f}")
    print(f"hypervolume: {summary['hypervolume']:.4f}, base curve alone {summary['hypervolume_base']:.4f}")
    if gains:
        print(f"gain over the base curve at equal rate: mean {statistics.fmean(gains):+.3f}, least {min(gains):+.3f}")
    encode, ocr = (statistics.fmean(coded[name]) for name in ("encode_ms", "ocr_ms"))
    print(f"encoding over reading time: {encode / ocr:.2f} ({encode:.1f} ms over {ocr:.1f} ms an image)")
    overhead = statistics.fmean(coded["bpp"] - coded["bpp_payload"])
    print(
        f"header and checksum: {overhead:.4f} bpp; entropy coder over likelihoods: "
        f"{statistics.fmean(coded['bpp_payload'] - coded['bpp_estimated']):.4f} bpp"
    )


if __name__ == "__main__":
    main()
