"""Command line: render a data set of text images."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from datagen.errors import DataError
from datagen.spec import PRESETS


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Renders text images with TextRecognitionDataGenerator into Parquet shards.

    The same preset gives the same bytes, whatever the number of workers. An interrupted call goes on where it
    stopped; a finished one renders nothing.
    """

    out: Path
    """Folder to fill: manifest.json and {train,val,test}-NNNNN.parquet."""
    preset: Literal["paper", "cpu", "smoke"] = "cpu"
    """paper: 20,000 training images; cpu: 10,000; smoke: 96."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Cores to use on this machine (default: all). A running Ray cluster is used whole."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m datagen")
    try:
        _generate(arguments)
    except DataError as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; the same command goes on with the shards that are missing")
        return 1
    return 0


def _generate(arguments: Arguments) -> None:
    if arguments.workers is not None and arguments.workers < 1:
        raise DataError(f"--workers {arguments.workers} leaves nobody to work; give 1 or more")
    # Ray takes seconds to import; --help and a wrong argument need not wait for it.
    from datagen import generate

    spec = PRESETS[arguments.preset]()
    columns = TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True)
    with Progress(*columns, TimeRemainingColumn()) as progress, generate.ray_session(arguments.workers):
        task = progress.add_task("rendering", total=None)
        generate.ensure(spec, arguments.out, lambda done, total: progress.update(task, completed=done, total=total))
    print(f"{arguments.out}: {spec.train} train, {spec.val} val, {spec.test} test images, digest {spec.digest()}")


if __name__ == "__main__":
    sys.exit(main())
