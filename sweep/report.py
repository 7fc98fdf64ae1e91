"""A run's folder -> the front's plot, a picture of reconstructions, and a page that shows both.

python -m sweep.report RUN
"""

import base64
import html
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import polars as pl
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from rich.console import Console

from datagen import dataset
from datagen.dataset import TextImages
from datagen.errors import DataError
from datagen.shards import atomic
from models import container, recognizers
from models.errors import ModelError
from models.recognizers import CtcRecognizer
from models.trained import TrainedCodec
from sweep import points
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.points import Row
from sweep.stages import load_codec

BASE, TFIC, FRONT = "#7f7f7f", "#5fa8d3", "#c1121f"
IMAGES = 5
"""Rows of the picture of reconstructions: the first of the test split, whatever they show."""
RATES = 3
"""Columns of it, each a TFIC point of the front beside the base point of the nearest rate."""


def front_figure(frame: pl.DataFrame) -> Figure:
    """Accuracy over rate: base curve, TFIC points, the front, and the uncompressed images' accuracy."""
    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    base, tfic = points.complete(frame, "base"), points.complete(frame, "tfic")
    front = frame.filter("on_front").sort("bpp")
    axes.plot(base["bpp"], base["accuracy"], "o-", color=BASE, label="base codec (stage 1)")
    axes.scatter(tfic["bpp"], tfic["accuracy"], color=TFIC, s=22, alpha=0.7, label="TFIC (stage 2)")
    axes.step(front["bpp"], front["accuracy"], where="post", color=FRONT, linewidth=1.6, label="Pareto front")
    axes.scatter(front["bpp"], front["accuracy"], facecolors="none", edgecolors=FRONT, s=48)
    uncompressed = points.uncompressed_accuracy(frame)
    if uncompressed is not None:
        axes.axhline(uncompressed, color="black", linestyle="--", linewidth=1, label="uncompressed")
    _label(axes)
    return figure


def _label(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(ScalarFormatter())
    axes.tick_params(axis="x", which="minor", labelsize=7)
    axes.set_xlabel("bits per pixel, whole file")
    axes.set_ylabel("accuracy of the recognizer")
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.25, which="both")
    axes.legend(loc="lower right")


def reconstructions_figure(run: RunFolder, frame: pl.DataFrame, test: TextImages) -> Figure:
    """Original, base and TFIC reconstructions at like rates, each with what was read in it."""
    recognizer = recognizers.load(run.config.recognizer)
    shown = [("original", None, None), *_pairs(frame)]
    figure = Figure(figsize=(2.9 * len(shown), 1.15 * IMAGES + 0.4), dpi=110, layout="constrained")
    grid = figure.subplots(IMAGES, len(shown), squeeze=False)
    for column, (title, point_id, bpp) in enumerate(shown):
        trained = (
            None
            if point_id is None
            else _trained(run, frame.row(by_predicate=pl.col("point_id") == point_id, named=True))
        )
        for row, axes in enumerate(grid[:, column]):
            _show(axes, test.images[row], test.texts[row], trained, recognizer)
        grid[0, column].set_title(title if bpp is None else f"{title}, {bpp:.3f} bpp", fontsize=10)
    return figure


def _pairs(frame: pl.DataFrame) -> list[tuple[str, str, float]]:
    """Base and TFIC points at like rates, spread over the front: (title, point id, bpp)."""
    front = frame.filter("on_front", kind="tfic").sort("bpp")
    base = points.complete(frame, "base")
    if front.is_empty() or base.is_empty():
        return []
    chosen = sorted({round(i * (len(front) - 1) / max(1, RATES - 1)) for i in range(RATES)})
    pairs = []
    for tfic in (front.row(index, named=True) for index in chosen):
        near = base.sort((pl.col("bpp") / tfic["bpp"]).log().abs()).row(0, named=True)
        pairs += [("base", near["point_id"], near["bpp"]), ("TFIC", tfic["point_id"], tfic["bpp"])]
    return pairs


def _show(axes: Axes, image, truth: str, trained: TrainedCodec | None, recognizer: CtcRecognizer) -> None:
    if trained is not None:
        image = container.decode(trained, container.encode(trained, image))
    read = recognizer.read(container.to_float(image))[0]
    axes.imshow(image)
    axes.set_axis_off()
    color = "#2d6a4f" if read == truth else FRONT
    axes.text(
        0.5,
        -0.04,
        read or "(nothing)",
        ha="center",
        va="top",
        color=color,
        fontsize=9,
        transform=axes.transAxes,
        parse_math=False,
    )


def _trained(run: RunFolder, row: Row) -> TrainedCodec:
    return TrainedCodec(load_codec(row["codec"], run.path / row["checkpoint"]), row["codec"], run.config.recognizer, {})


def write(run: RunFolder) -> tuple[Figure, Figure]:
    """Writes front.png, reconstructions.png and report.html into the run's folder; returns the two figures."""
    frame = points.read(run.path)
    figures = front_figure(frame), reconstructions_figure(run, frame, dataset.load(run.data, "test"))
    pictures = [_png(figure) for figure in figures]
    for name, picture in zip(("front.png", "reconstructions.png"), pictures, strict=True):
        with atomic(run.path / name) as partial:
            partial.write_bytes(picture)
    with atomic(run.path / "report.html") as partial:
        partial.write_text(_page(run, frame, pictures), encoding="utf-8")
    return figures


def _page(run: RunFolder, frame: pl.DataFrame, pictures: list[bytes]) -> str:
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(p).decode()}">' for p in pictures)
    name = html.escape(run.path.name)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%;display:block;margin:1rem 0}td,th{padding:.2rem .8rem;text-align:right}"
        "tr:nth-child(even){background:#f3f3f3}table{border-collapse:collapse}</style>"
        f"<h1>{name}</h1><p>{html.escape(summary(frame))}</p>{images}<h2>The front</h2>{_table(frame)}</html>\n"
    )


def _table(frame: pl.DataFrame) -> str:
    columns = ["kind", "lambda", "beta", "bpp", "accuracy", "cer", "psnr_db", "encode_ms", "ocr_ms", "point_id"]
    rows = frame.filter("on_front").sort("bpp").select(columns)
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row) + "</tr>" for row in rows.iter_rows())
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else html.escape(str(value))


def summary(frame: pl.DataFrame) -> str:
    """The run in one sentence."""
    front = points.front_summary(frame)
    uncompressed = front["uncompressed_accuracy"]
    best = max((point["accuracy"] for point in front["front"]), default=0.0)
    return (
        f"{len(points.complete(frame, 'tfic'))} TFIC and {len(points.complete(frame, 'base'))} base points, "
        f"{len(front['front'])} on the front. Best accuracy {best:.3f}"
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


def main() -> int:
    """Runs the command and returns its exit code."""
    arguments = tyro.cli(Arguments, prog="python -m sweep.report")
    try:
        run = RunFolder.load(arguments.run)
        write(run)
    except (SweepError, DataError, ModelError) as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", soft_wrap=True)
        return 2
    print(summary(points.read(run.path)))
    print(f"report: {run.path / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
