"""Command line: choose a point of the front and export its codec, or the conditioned codec with a dial over all of it.

python -m sweep.pick RUN --max-bpp 0.1 --out model.pt
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import tyro
from rich.console import Console

from models.conditioning import ConditionedCodec
from models.errors import ModelError
from models.trained import Model, RateDial, Stop, TrainedCodec
from sweep import points, stages
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.points import Row
from sweep.stages import Store, load_codec

FACTS = ("point_id", "kind", "lambda", "beta", "bpp", "accuracy", "psnr_db")
STOPS = 11
"""Of a dial's path."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Exports the codec of the most accurate point within a rate, or one model file with a dial for every rate."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run."""
    max_bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP")] = None
    """Most bits per pixel, whole file, mean over the test images."""
    dial: bool = False
    """Export the conditioned codec itself: compress then takes --bpp or --quality for each image."""
    out: Path
    """Model file to write, for python -m models."""


def choose(front: pl.DataFrame, max_bpp: float) -> Row:
    """The most accurate row of the front within a rate.

    Raises:
        SweepError: every point needs more bits.
    """
    fitting = front.filter(pl.col("bpp") <= max_bpp).sort("accuracy")
    if fitting.is_empty():
        least = f"the smallest needs {front['bpp'].min():.4f}" if len(front) else "the front is empty"
        raise SweepError(f"no point of the front stays within {max_bpp} bpp; {least}")
    return fitting.row(-1, named=True)


def trained(run: RunFolder, row: Row) -> TrainedCodec:
    """The codec of a point."""
    facts = {name: row[name] for name in FACTS if row[name] is not None}
    return TrainedCodec(
        load_codec(row["codec"], run.path / row["checkpoint"]), row["codec"], run.config.recognizer, facts
    )


def dial(run: RunFolder, front: pl.DataFrame) -> RateDial:
    """The run's conditioned codec with a dial along the front.

    Raises:
        SweepError: the run has none, or too few points to lay a path through.
    """
    if run.config.strategy != "conditional":
        raise SweepError(f"{run.path} was run with --strategy {run.config.strategy}, which trains no codec for a dial")
    node = stages.conditioned2(run.config)
    network = Store(run.path / "checkpoints").load(node)
    assert isinstance(network, ConditionedCodec)
    path = path_along(front.filter(kind="tfic"))
    facts = {"points": len(front), "least_bpp": front["bpp"].min(), "most_bpp": front["bpp"].max()}
    return RateDial(network, node.codec, run.config.recognizer, path, facts)


def path_along(front: pl.DataFrame) -> tuple[Stop, ...]:
    """Stops at equal distances of log rate on the parabola through the front's (log lambda, log beta).

    Neighbours on a front may lie far apart in the plane where one weight hardly matters; the parabola is smooth.
    """
    if len(front) < 2:
        raise SweepError("a dial needs two points of stage 2 on the front; raise --budget")
    rates = front["bpp"].log().to_numpy()
    at = np.linspace(rates.min(), rates.max(), STOPS)
    degree = min(2, len(front) - 1)
    logs = [front[name].log().to_numpy() for name in ("lambda", "beta")]
    curves = [np.polyval(np.polyfit(rates, log, degree), at).clip(log.min(), log.max()) for log in logs]
    return tuple(Stop(*stop) for stop in np.exp(curves).T.tolist())


def export(model: Model, out: Path) -> None:
    """Writes model.pt.

    Raises:
        SweepError: `out` cannot be written.
    """
    try:
        model.save(out)
    except (OSError, RuntimeError) as error:
        raise SweepError(f"{out} cannot be written ({error}); give another --out") from None


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.pick")
    try:
        print(f"{arguments.out}: {_picked(arguments)}")
    except (SweepError, ModelError) as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", soft_wrap=True, highlight=False)
        return 2
    return 0


def _picked(arguments: Arguments) -> str:
    if arguments.dial == (arguments.max_bpp is not None):
        raise SweepError("give either --max-bpp, for a codec of one rate, or --dial, for one of every rate")
    run = RunFolder.load(arguments.run)
    front = points.read(run.path).filter("on_front")
    if arguments.max_bpp is None:
        model = dial(run, front)
        said = f"a dial from {front['bpp'].min():.4f} to {front['bpp'].max():.4f} bpp"
    else:
        row = choose(front, arguments.max_bpp)
        model = trained(run, row)
        said = f"{row['kind']} point {row['point_id']}, {row['bpp']:.4f} bpp, accuracy {row['accuracy']:.3f}"
    export(model, arguments.out)
    return said


if __name__ == "__main__":
    sys.exit(main())
