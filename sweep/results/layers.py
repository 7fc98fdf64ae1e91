"""Two layers in place of one image (TFIC, section IV-B): a base codec's image for the eye, beside a TFIC one for the
reader, against one image of the base codec that takes as many bits as both."""

from typing import NamedTuple

import polars as pl

from sweep.results import points
from sweep.results.pareto import Objectives, accuracy_at


class Layers(NamedTuple):
    """What both layers give, and what one image of the same rate gives; on the test images."""

    bpp: float
    """Of both layers together."""
    base_bpp: float
    accuracy: float
    """Of the reader, in the TFIC layer."""
    single_accuracy: float
    psnr_db: float
    """Of the base layer."""
    single_psnr_db: float


def layers(frame: pl.DataFrame) -> list[Layers]:
    """Each TFIC point of the front above the base codec's cheapest image, by rising rate; where the base curve, linear
    in log rate between its points, reaches the total."""
    base = points.complete(frame, "base").drop_nulls("psnr_db")
    if base.is_empty():
        return []
    read = points.objectives(base)
    seen = [Objectives(*pair) for pair in base.select("bpp", "psnr_db").iter_rows()]
    front = points.objectives(frame.filter("on_front", kind="tfic").sort("bpp"))
    found = [
        (seen[0], text, accuracy_at(read, seen[0].bpp + text.bpp), accuracy_at(seen, seen[0].bpp + text.bpp))
        for text in front
    ]
    return [
        Layers(eye.bpp + text.bpp, eye.bpp, text.accuracy, accuracy, eye.accuracy, psnr)
        for eye, text, accuracy, psnr in found
        if accuracy is not None and psnr is not None
    ]
