"""Command line: choose a point of the front and export its codec.

python -m sweep.pick RUN --max-bpp 0.1 --out model.pt
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro
from rich.console import Console

from models.errors import ModelError
from models.trained import TrainedCodec
from sweep import points
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.points import Row
from sweep.stages import load_codec

FACTS = ("point_id", "kind", "lambda", "beta", "bpp", "accuracy", "psnr_db")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Exports the codec of the most accurate point within a rate."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run."""
    max_bpp: Annotated[float, tyro.conf.arg(metavar="BPP")]
    """Most bits per pixel, whole file, mean over the test images."""
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


def export(run: RunFolder, row: Row, out: Path) -> None:
    """Writes a point's codec as model.pt.

    Raises:
        SweepError: its checkpoint is gone, or `out` cannot be written.
    """
    checkpoint = run.path / row["checkpoint"]
    facts = {name: row[name] for name in FACTS if row[name] is not None}
    try:
        codec = load_codec(row["codec"], checkpoint)
        TrainedCodec(codec, row["codec"], run.config.recognizer, facts).save(out)
    except FileNotFoundError as error:
        raise SweepError(
            f"{error.filename or out.parent} does not exist; train it again, or give another --out"
        ) from None
    except (OSError, RuntimeError) as error:
        raise SweepError(f"{checkpoint} could not be exported to {out} ({error})") from None


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.pick")
    try:
        run = RunFolder.load(arguments.run)
        row = choose(points.read(run.path).filter("on_front"), arguments.max_bpp)
        export(run, row, arguments.out)
    except (SweepError, ModelError) as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", soft_wrap=True, highlight=False)
        return 2
    print(
        f"{arguments.out}: {row['kind']} point {row['point_id']}, {row['bpp']:.4f} bpp, accuracy {row['accuracy']:.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
