"""The figures of a run as files for papers: SVG and PDF, with the CSV behind each."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import polars as pl
from matplotlib.figure import Figure

from datagen.files import atomic
from sweep.reporting import calibration, curves, figures, pictures
from sweep.reporting.contents import Contents
from sweep.reporting.curves import Curve
from sweep.reporting.pictures import Pictures
from sweep.results import points

FOLDER = "figures"
ROOT = ("front", "reconstructions")
"""Figures that stand as PNG in the run's folder too."""
PLANE = ("point_id", "status", "on_front", "lambda", "beta", "bpp", "accuracy", "psnr_db")


class Paper(NamedTuple):
    """A figure, and what is drawn in it."""

    name: str
    figure: Figure
    data: pl.DataFrame


def write(contents: Contents, found: Pictures) -> None:
    """Writes figures/ into the run's folder, and front.png and reconstructions.png beside it."""
    folder = contents.run.path / FOLDER
    folder.mkdir(exist_ok=True)
    for paper in _papers(contents, found):
        for suffix in ("svg", "pdf"):
            _save(paper.figure, folder / f"{paper.name}.{suffix}")
        with atomic(folder / f"{paper.name}.csv") as partial:
            paper.data.write_csv(partial)
        if paper.name in ROOT:
            _save(paper.figure, contents.run.path / f"{paper.name}.png")


def _papers(contents: Contents, found: Pictures) -> Iterator[Paper]:
    frame, bounds = contents.frame, contents.bounds
    accuracies, psnr = curves.accuracy(contents.drawn, bounds), curves.psnr(frame)
    yield Paper("front", figures.front_figure(contents.drawn, bounds), _table(accuracies))
    yield Paper("psnr", figures.psnr_figure(frame), _table(psnr))
    yield Paper("plane", figures.plane_figure(contents), frame.filter(kind="tfic").select(PLANE))
    yield Paper("reconstructions", figures.reconstructions_figure(contents, found), _read(contents))
    rows = calibration.of_run(contents)
    if len(rows):
        drawn, over = calibration.reliability(contents, rows), calibration.over_rate(contents, rows)
        yield Paper("reliability", figures.reliability_figure(drawn), _bins(drawn))
        yield Paper("confidence", figures.rates_figure(over, "share of readings"), _table(over))


def _table(found: list[Curve]) -> pl.DataFrame:
    return pl.concat([curve.table() for curve in found], how="diagonal") if found else pl.DataFrame({"curve": []})


def _bins(found: list[Curve]) -> pl.DataFrame:
    return pl.concat(curve.points.select(pl.lit(curve.name).alias("curve"), pl.all()) for curve in found)


def _read(contents: Contents) -> pl.DataFrame:
    """What was read in the images of the picture grid, and in the originals."""
    ids = [key for _, key in pictures.pairs(contents)]
    ids += points.complete(contents.frame, "uncompressed")["point_id"].to_list()
    few = contents.readings.filter(pl.col("index") < pictures.IMAGES, pl.col("point_id").is_in(ids))
    return few.join(contents.frame.select("point_id", "kind", "bpp"), on="point_id")


def _save(figure: Figure, path: Path) -> None:
    # SVG's ids and PDF's dates would differ each time that nothing has changed.
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(path.suffix[1:])
    settings = mpl.rc_context({"svg.hashsalt": "tfic", "pdf.fonttype": 42})  # pyright: ignore[reportUnknownMemberType]
    with settings, atomic(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], metadata=dates)  # pyright: ignore[reportUnknownMemberType]
