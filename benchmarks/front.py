"""What a run's front is worth against its base curve and against what needs no training, from the tables of the run.

python benchmarks/front.py RUN
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import tyro

from sweep.results import intervals, points, readings
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives, accuracy_at, bd_rate, front, hypervolume, rate_at
from sweep.results.points import RATES, Counting

ENOUGH = 0.97
"""Share of the uncompressed accuracy that the envelope has to reach: its rate there is E."""
SHARES = (0.5, 0.75, 0.9, ENOUGH, 1.0)
"""Of the uncompressed accuracy, whose rates are compared."""


@dataclass(frozen=True)
class Arguments:
    """Prints a run's front beside its base curve and the best without training, at equal rate and at equal accuracy.

    The front and the envelope are chosen on the validation images; all figures are of the test images.
    """

    run: tyro.conf.Positional[Path]
    """Folder of a run."""


def main() -> None:
    """Prints the tables and figures that README.md quotes."""
    arguments = tyro.cli(Arguments)
    frame = points.read(arguments.run)
    chosen = points.chosen(points.complete(frame, "tfic"))
    tfic, base = points.objectives(chosen), points.objectives(points.complete(frame, "base"))
    envelope = points.envelope(frame)
    print_at_equal_rate(tfic, base, envelope)
    print_at_equal_accuracy(frame, tfic, base, envelope)
    print_choice(frame)
    print_figures(frame)
    spec = RunFolder.load(arguments.run).config.data
    kept, pixels = readings.read(arguments.run), spec.width * spec.height
    ids = chosen["point_id"].to_list()
    print_interval("base curve", kept, ids, points.complete(frame, "base")["point_id"].to_list(), pixels)
    for counting in RATES:
        print_envelope(chosen, frame, counting)
        others = points.chosen(points.complete(frame, "classical"), counting)["point_id"].to_list()
        print_interval(f"envelope, {counting} bytes", own(kept) if counting == "own" else kept, ids, others, pixels)
    print_texts(frame)


def own(rows: pl.DataFrame) -> pl.DataFrame:
    """Readings whose files lack the bytes that all files of a point have in common."""
    return rows.with_columns(pl.col("bytes") - pl.col("repeated"))


def print_interval(name: str, rows: pl.DataFrame, tfic: list[str], others: list[str], pixels: int) -> None:
    """95 % intervals of the front against another curve, paired by image, where all have readings."""
    resampled = intervals.resample(intervals.measured(rows, pixels))
    if not {*tfic, *others} <= {*resampled.ids}:
        return
    if rate := intervals.of_bd_rate(resampled, tfic, others):
        print(f"BD-rate against the {name}: {100 * rate.low:+.0f} % to {100 * rate.high:+.0f} % with 95 % confidence")
    if gain := intervals.of_bd_accuracy(resampled, tfic, others):
        print(f"gain over the {name}, mean over log rate: {gain.low:+.3f} to {gain.high:+.3f} with 95 % confidence")


def print_envelope(chosen: pl.DataFrame, frame: pl.DataFrame, counting: Counting) -> None:
    """The front beside what needs no training, both in one counting."""
    tfic = points.objectives(chosen.sort(RATES[counting]), counting)
    rows = points.chosen(points.complete(frame, "classical").drop_nulls(RATES[counting]), counting)
    print(f"\nthe best without training, {counting} bytes\n    bpp  envelope   front  of")
    for point, name in zip(points.objectives(rows, counting), rows["point_id"], strict=True):
        print(f"{point.bpp:7.4f}  {point.accuracy:8.3f} {_number(accuracy_at(tfic, point.bpp), 7, 3)}  {name}")
    curve = points.objectives(rows, counting)
    gains = [point.accuracy - other for point in tfic if (other := accuracy_at(curve, point.bpp)) is not None]
    if gains:
        print(f"gain at equal rate: mean {statistics.fmean(gains):+.3f}, {min(gains):+.3f} to {max(gains):+.3f}")
    if (rate := bd_rate(tfic, curve)) is not None:
        print(f"BD-rate: {100 * rate:+.0f} %")


def print_choice(frame: pl.DataFrame) -> None:
    """How much better a front looks that is chosen on the very images that it is reported on."""
    trained = points.complete(frame, "tfic")
    honest, lucky = points.objectives(points.chosen(trained)), front(points.objectives(trained))
    volumes = [hypervolume(curve) for curve in (honest, lucky)]
    print(f"\nchosen on the validation images: {len(honest)} points, hypervolume {volumes[0]:.4f}")
    print(f"chosen on the test images themselves: {len(lucky)} points, hypervolume {volumes[1]:.4f}")


def print_texts(frame: pl.DataFrame) -> None:
    """The text itself, read on the device."""
    for name, bpp, accuracy in points.complete(frame, "text").select("codec", "bpp", "accuracy").iter_rows():
        print(f"{name}: {bpp:.4f} bpp, accuracy {accuracy:.3f}")


def print_at_equal_rate(tfic: list[Objectives], base: list[Objectives], envelope: list[Objectives]) -> None:
    """The front's points beside both curves."""
    print("    bpp  accuracy    base  envelope")
    for point in tfic:
        others = [accuracy_at(curve, point.bpp) for curve in (base, envelope)]
        print(f"{point.bpp:7.4f}  {point.accuracy:8.3f} {_number(others[0], 7, 3)}  {_number(others[1], 8, 3)}")
    for name, curve in (("base curve", base), ("envelope", envelope)):
        pairs = [(point, accuracy_at(curve, point.bpp)) for point in tfic]
        gains = [point.accuracy - other for point, other in pairs if other is not None]
        rate = bd_rate(tfic, curve)
        if gains:
            print(f"gain over the {name} at equal rate: mean {statistics.fmean(gains):+.3f}, least {min(gains):+.3f}")
        if rate is not None:
            print(f"BD-rate against the {name}: {100 * rate:+.0f} %")


def print_at_equal_accuracy(
    frame: pl.DataFrame, tfic: list[Objectives], base: list[Objectives], envelope: list[Objectives]
) -> None:
    """Rates at shares of the uncompressed accuracy U, and as shares of E, the envelope's rate at 0.97 U."""
    uncompressed = points.uncompressed_accuracy(frame)
    if uncompressed is None:
        return
    enough = rate_at(envelope, ENOUGH * uncompressed)
    print(f"\nU, the uncompressed accuracy: {uncompressed:.3f}")
    print(f"E, the envelope's rate at {ENOUGH} U: {_number(enough, 0, 4)}")
    print(" accuracy   front    base  envelope   front / E")
    for accuracy in [*(share * uncompressed for share in SHARES), uncompressed + 0.08]:
        rates = [rate_at(curve, accuracy) for curve in (tfic, front(base), envelope)]
        share = None if rates[0] is None or enough is None else rates[0] / enough
        print(f"{accuracy:9.3f} {''.join(_number(rate, 8, 4) for rate in rates)}  {_number(share, 10, 2)}")
    best = tfic[-1] if tfic else None
    if best:
        print(f"the front's end: {best.accuracy:.3f} at {best.bpp:.4f} bpp, U {best.accuracy - uncompressed:+.3f}")


def print_figures(frame: pl.DataFrame) -> None:
    """The run in a few numbers."""
    summary = points.front_summary(frame)
    coded = points.complete(frame, "tfic")
    kinds = frame.group_by("kind", "status").len().sort("kind").rows()
    print(f"\npoints: {', '.join(f'{count} {kind} {status}' for kind, status, count in kinds)}")
    volumes = ", ".join(f"{name} {summary[f'hypervolume{key}']:.4f}" for name, key in VOLUMES.items())
    print(f"hypervolume: {volumes}")
    encode, ocr = (_mean(coded[name]) for name in ("encode_ms", "ocr_ms"))
    print(f"encoding over reading time: {encode / ocr:.2f} ({encode:.1f} ms over {ocr:.1f} ms an image)")
    header, coder = _mean(coded["bpp"] - coded["bpp_payload"]), _mean(coded["bpp_payload"] - coded["bpp_estimated"])
    print(f"header and checksum: {header:.4f} bpp; entropy coder over likelihoods: {coder:.4f} bpp")


VOLUMES = {"front": "", "base curve": "_base", "envelope": "_classical"}


def _mean(values: Sequence[float] | pl.Series) -> float:
    return statistics.fmean(values)


def _number(value: float | None, width: int, digits: int) -> str:
    return "-".rjust(width) if value is None else f"{value:{width}.{digits}f}"


if __name__ == "__main__":
    main()
