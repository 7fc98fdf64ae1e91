"""A run's folder -> the front's plot, a picture of reconstructions, and a page that shows both.

python -m sweep.report RUN
"""

import base64
import html
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro
from matplotlib.figure import Figure

from datagen import dataset
from datagen.errors import DataError
from datagen.shards import atomic
from models import recognizers, teachers
from models.console import ended
from models.errors import ModelError
from models.reading import FrozenRecognizer
from sweep import points
from sweep.console import STYLE, complain
from sweep.errors import SweepError
from sweep.figures import front_figure, reconstructions_figure
from sweep.folder import RunFolder


def write(run: RunFolder, recognizer: FrozenRecognizer | None) -> None:
    """Writes front.png, reconstructions.png and report.html into the run's folder.

    Args:
        recognizer: reads the reconstructions; None: nobody does.
    """
    frame = points.read(run.path)
    figures = front_figure(frame), reconstructions_figure(run, frame, dataset.load(run.data, "test"), recognizer)
    pictures = [_png(figure) for figure in figures]
    for name, picture in zip(("front.png", "reconstructions.png"), pictures, strict=True):
        with atomic(run.path / name) as partial:
            partial.write_bytes(picture)
    with atomic(run.path / "report.html") as partial:
        partial.write_text(_page(run, frame, pictures), encoding="utf-8")


def _page(run: RunFolder, frame: pl.DataFrame, pictures: list[bytes]) -> str:
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(p).decode()}">' for p in pictures)
    name = html.escape(run.path.name)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%;display:block;margin:1rem 0}td,th{padding:.2rem .8rem;text-align:right}"
        "tr:nth-child(even){background:#f3f3f3}table{border-collapse:collapse}</style>"
        f"<h1>{name}</h1><p>{html.escape(summary(frame))}</p>{images}"
        f"<h2>The front, and the images as they are</h2>{_table(frame)}</html>\n"
    )


def _table(frame: pl.DataFrame) -> str:
    shown = frame.filter(pl.col("on_front") | (pl.col("kind") == "uncompressed")).sort("bpp")
    columns = ["kind", "lambda", "beta", "bpp", "accuracy", *points.readings(shown), "cer", "psnr_db"]
    rows = shown.select(*columns, "encode_ms", "ocr_ms", "point_id")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows.columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row) + "</tr>" for row in rows.iter_rows())
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else html.escape(str(value))


def summary(frame: pl.DataFrame) -> str:
    """The run in one sentence."""
    front = points.front_summary(frame)
    uncompressed = front["uncompressed_accuracy"]
    stopped = frame.filter(status="stopped").height
    best = max((point["accuracy"] for point in front["front"]), default=0.0)
    return (
        f"{len(points.complete(frame, 'tfic'))} TFIC and {len(points.complete(frame, 'base'))} base points, "
        f"{len(front['front'])} on the front. Best accuracy {best:.3f}"
        + (f", {stopped} stopped on their way" if stopped else "")
        + (f", uncompressed {uncompressed:.3f}" if uncompressed is not None else "")
        + f". Hypervolume {front['hypervolume']:.4f}, of the base curve alone {front['hypervolume_base']:.4f}."
    )


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


@dataclass(frozen=True)
class Arguments:
    """Draws a run's front and reconstructions again: front.png, reconstructions.png and report.html in its folder."""

    run: tyro.conf.Positional[Path]
    """Folder of a finished or unfinished run."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION", help_behavior_hint="")] = None
    """Your own recognizer, if the sweep was given one: it is imported and called, to read the reconstructions."""


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.report", config=STYLE)
    try:
        run = RunFolder.load(arguments.run)
        recognizer = _recognizer(run, arguments.recognizer)
        write(run, recognizer)
    except (SweepError, DataError, ModelError) as error:
        return complain(error)
    if recognizer is None:
        name = run.config.recognizers[0].name
        print(f"nobody reads the reconstructions: give --recognizer {name} to import and call it")
    print(summary(points.read(run.path)))
    print(f"report: {run.path / 'report.html'}")
    return 0


def _recognizer(run: RunFolder, own: str | None) -> FrozenRecognizer | None:
    """The one that steered the search; a user's only if the user names it: a run's folder does not choose what is
    imported.
    """
    teacher = run.config.recognizers[0]
    if not teacher.is_users:
        if own is not None:
            raise SweepError(f"{run.path} is read by {teacher.name}; leave --recognizer {own} out")
        return teachers.load([teacher])
    return None if own is None else recognizers.load_identified(teachers.identity([teacher]), own=own)


if __name__ == "__main__":
    sys.exit(ended(main))
