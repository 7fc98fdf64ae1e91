"""A run's report: the front as a picture, a picture of reconstructions, and a page that shows both."""

import base64
import html
import io

import polars as pl
from matplotlib.figure import Figure

from datagen import dataset
from datagen.files import atomic
from models.recognizers.base import FrozenRecognizer
from sweep.results import intervals, points
from sweep.results.figures import front_figure, reconstructions_figure
from sweep.results.folder import RunFolder


def write(run: RunFolder, recognizer: FrozenRecognizer | None) -> None:
    """Writes front.png, reconstructions.png and report.html into the run's folder.

    Args:
        recognizer: reads the reconstructions; None: nobody does.
    """
    frame, bounds = points.read(run.path), intervals.of_points(intervals.of_run(run))
    test = dataset.load(run.data, "test")
    figures = front_figure(frame, bounds), reconstructions_figure(run, frame, test, recognizer)
    pictures = [_png(figure) for figure in figures]
    for name, picture in zip(("front.png", "reconstructions.png"), pictures, strict=True):
        with atomic(run.path / name) as partial:
            partial.write_bytes(picture)
    with atomic(run.path / "report.html") as partial:
        partial.write_text(_page(run, frame.join(bounds, on="point_id", how="left"), pictures), encoding="utf-8")


def _page(run: RunFolder, frame: pl.DataFrame, pictures: list[bytes]) -> str:
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(p).decode()}">' for p in pictures)
    name = html.escape(run.path.name)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%;display:block;margin:1rem 0}td,th{padding:.2rem .8rem;text-align:right}"
        "tr:nth-child(even){background:#f3f3f3}table{border-collapse:collapse}</style>"
        f"<h1>{name}</h1><p>{html.escape(summary(run))}</p>{images}"
        f"<h2>The front, and the images as they are</h2>{_table(frame)}</html>\n"
    )


def _table(frame: pl.DataFrame) -> str:
    shown = frame.filter(pl.col("on_front") | (pl.col("kind") == "uncompressed")).sort("bpp")
    columns = ["kind", "lambda", "beta", "bpp", "accuracy", "accuracy_low", "accuracy_high"]
    columns += [*points.reader_columns(shown.drop("accuracy_low", "accuracy_high")), "cer", "psnr_db"]
    rows = shown.select(*columns, "encode_ms", "ocr_ms", "point_id")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows.columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in row) + "</tr>" for row in rows.iter_rows())
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else html.escape(str(value))


def summary(run: RunFolder) -> str:
    """The run in a few sentences."""
    frame = points.read(run.path)
    front = points.front_summary(frame)
    volume = intervals.of_hypervolume(intervals.of_run(run), [point["point_id"] for point in front["front"]])
    uncompressed = front["uncompressed_accuracy"]
    stopped = frame.filter(status="stopped").height
    best = max((point["accuracy"] for point in front["front"]), default=0.0)
    return (
        f"{len(points.complete(frame, 'tfic'))} TFIC and {len(points.complete(frame, 'base'))} base points, "
        f"{len(front['front'])} on the front. Best accuracy {best:.3f}"
        + (f", {stopped} stopped on their way" if stopped else "")
        + (f", uncompressed {uncompressed:.3f}" if uncompressed is not None else "")
        + f". Hypervolume {front['hypervolume']:.4f}"
        + (f" ({volume.low:.4f} to {volume.high:.4f} with 95 % confidence)" if volume else "")
        + f", of the base curve alone {front['hypervolume_base']:.4f}."
    )


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")  # pyright: ignore[reportUnknownMemberType]
    return buffer.getvalue()
