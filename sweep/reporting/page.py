"""report.html: one self-contained page of one or several runs, which asks no network for anything."""

import html
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from datagen.files import atomic
from sweep.reporting import calibration, curves, error_plots, errors_by, pictures, plane, plots, tables
from sweep.reporting.contents import Contents, summary
from sweep.reporting.pictures import Pictures
from sweep.results import misreadings, points

HERE = Path(__file__).parent
NAME = "report.html"
ACCURACY = {"title": {"text": "accuracy of the recognizer"}, "rangemode": "tozero"}


def write(runs: Sequence[Contents], found: Sequence[Pictures], out: Path) -> None:
    """Writes the page of some runs, with the pictures of each.

    What went wrong, the confidence, the two layers and the picture grid are those of the first run.
    """
    content = {
        "runs": [contents.name for contents in runs],
        "plots": _plots(runs),
        "errors": _errors(runs[0]),
        "calibration": _calibration(runs[0]),
        "measures": plane.MEASURES,
        "table": tables.of_points(runs),
        "times": tables.times(runs),
        "layers": tables.two_layers(runs[0]),
        "pictures": [_pictures(*each) for each in zip(runs, found, strict=True)],
    }
    parts = {
        "title": html.escape(", ".join(contents.name for contents in runs)),
        "summaries": "".join(f"<p>{html.escape(_said(contents, len(runs)))}</p>" for contents in runs),
        "first": "" if len(runs) == 1 else f" Of the run {html.escape(runs[0].name)}.",
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "script": (HERE / "page.js").read_text(encoding="utf-8"),
        "plotly": get_plotlyjs(),
        "data": _json(content),
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    with atomic(out) as partial:
        partial.write_text(re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template), encoding="utf-8")


def _said(contents: Contents, runs: int) -> str:
    return summary(contents) if runs == 1 else f"{contents.name}: {summary(contents)}"


def _plots(runs: Sequence[Contents]) -> dict[str, plots.Plot]:
    accuracies = [(contents.name, curves.accuracy(contents.drawn, contents.bounds)) for contents in runs]
    psnr = [(contents.name, curves.psnr(contents.frame)) for contents in runs]
    return {
        "front": plots.rates(curves.overlaid(accuracies), ACCURACY),
        "psnr": plots.rates(curves.overlaid(psnr), {"title": {"text": "PSNR, dB"}}),
        "plane": plane.plane(runs),
        "hypervolume": plane.hypervolume(runs),
    }


def _errors(contents: Contents) -> dict[str, Any]:
    """What went wrong; empty where the readings are not kept."""
    names = error_plots.chosen(contents)
    shown = {*names, *contents.front["point_id"]}
    rows = misreadings.compared(contents.readings.filter(contents.readings["point_id"].is_in(list(shown))))
    if rows.is_empty():
        return {}
    rows = rows.join(errors_by.described(contents), on="index")
    confusions = {name: misreadings.confusions(rows.filter(point_id=key)) for key, name in names.items()}
    by = error_plots.grouped(contents, rows)
    return {"rate": error_plots.over_rate(contents, rows), "by": by, "confusions": confusions}


def _calibration(contents: Contents) -> dict[str, Any]:
    """The recognizer's confidence beside its accuracy; empty where it gives none."""
    rows = calibration.of_run(contents)
    if rows.is_empty():
        return {}
    drawn, over = calibration.reliability(contents, rows), calibration.over_rate(contents, rows)
    share = {"title": {"text": "share of readings"}, "tickformat": ".0%", "rangemode": "tozero"}
    plotted = {"reliability": plots.reliability(drawn), "confidence": plots.rates(over, share)}
    return {"plots": plotted, "table": calibration.table(contents, rows)}


def _pictures(contents: Contents, found: Pictures) -> dict[str, Any]:
    """Thumbnails and what was read in them, by point id; which base point is nearest in rate to a point."""
    plain = points.complete(contents.frame, "uncompressed")["point_id"].head(1).to_list()
    base = [(bpp, key) for key, bpp in points.complete(contents.frame, "base").select("point_id", "bpp").iter_rows()]
    measured = contents.frame.filter(status="complete").select("point_id", "bpp").drop_nulls().iter_rows()
    return {
        "originals": [pictures.thumbnail(image) for image in found.originals],
        "plain": plain[0] if plain else None,
        "restored": {key: [pictures.thumbnail(image) for image in images] for key, images in found.restored.items()},
        "said": found.said,
        "near": {key: min(base, key=lambda each: abs(math.log(each[0] / bpp)))[1] for key, bpp in measured if base},
        "grid": [pair for pair in pictures.pairs(contents) if pair[1] in found.restored],
    }


def _json(content: Any) -> str:
    """JSON that stands in a page: no sign in it ends a script."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
