"""What a data set looks like: a sheet of samples a split, and figures beside the manifest."""

import io
import json
import logging
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from PIL import Image, ImageDraw, ImageFont, ImageOps

from datagen import shards
from datagen.files import atomic
from datagen.shards import Manifest
from datagen.spec import SPLITS, Split

logger = logging.getLogger(__name__)

SUMMARY = "summary.json"
COLUMNS, ROWS = 6, 12
"""Samples side by side on a sheet, and below one another."""
CAPTION = 16
"""Pixels below a sample, for its text."""
GAP = 6
"""Pixels between samples."""
MEASURED = 200
"""Images of a split whose pixels are measured."""


def sheet_name(split: Split) -> str:
    """File name of a split's contact sheet."""
    return f"contact-{split}.png"


def files(folder: Path) -> list[Path]:
    """What `write` wrote."""
    return [file for name in (SUMMARY, *map(sheet_name, SPLITS)) if (file := folder / name).exists()]


def ensure(folder: Path) -> None:
    """Writes what `write` does where any of it is missing; a folder that cannot be written does without."""
    try:
        if len(files(folder)) < 1 + len(SPLITS):
            write(folder)
    except OSError as error:
        logger.warning("%s has no contact sheets: they cannot be written (%s)", folder, error.strerror)


def write(folder: Path) -> dict[str, Any]:
    """Writes contact-SPLIT.png and summary.json of a finished data set; returns the summary.

    Raises:
        ShardError: a shard is missing or cannot be read.
    """
    manifest = Manifest.load(folder)
    summary: dict[str, Any] = {"digest": manifest.spec.digest(), "rejected": len(manifest.rejected)}
    for split in SPLITS:
        table = shards.read(folder, split, shards.DESCRIPTION)
        measured, shown = table["index"].head(MEASURED), _evenly(table["index"])
        summary[split] = _described(table, shards.read(folder, split, ("image",), measured))
        with atomic(folder / sheet_name(split)) as partial:
            sheet(shards.read(folder, split, ("image", "text", "ink"), shown)).save(partial, "PNG", compress_level=1)
    with atomic(folder / SUMMARY) as partial:
        partial.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return summary


def _evenly(indexes: pl.Series) -> pl.Series:
    """As many indexes as a sheet has samples, spread over a split."""
    return indexes.gather_every(max(1, len(indexes) // (COLUMNS * ROWS))).head(COLUMNS * ROWS)


def sheet(shown: pl.DataFrame) -> Image.Image:
    """Images, each above its ink, where that is known, and its text."""
    pictures = [_with_ink(*data) for data in shown.select("image", "ink").iter_rows()]
    width, height = (GAP + max(sides) for sides in zip(*(picture.size for picture in pictures), strict=True))
    height += CAPTION
    page = Image.new("RGB", (COLUMNS * width + GAP, -(-len(pictures) // COLUMNS) * height + GAP), "white")
    draw, font = ImageDraw.Draw(page), caption_font(CAPTION - 4)
    for number, (picture, text) in enumerate(zip(pictures, shown["text"], strict=True)):
        left, top = GAP + number % COLUMNS * width, GAP + number // COLUMNS * height
        page.paste(picture, (left, top))
        draw.text((left, top + picture.height + 1), text or "(no text)", fill="black", font=font)
    return page


@cache
def caption_font(size: int) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings; Pillow's own lacks even the euro."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def _with_ink(image: bytes, ink: bytes | None) -> Image.Image:
    picture = Image.open(io.BytesIO(image), formats=["PNG"])
    if ink is None:
        return picture
    both = Image.new("RGB", (picture.width, 2 * picture.height))
    both.paste(picture)
    # Black on white, as a reader would have it.
    both.paste(ImageOps.invert(Image.open(io.BytesIO(ink), formats=["PNG"])), (0, picture.height))
    return both


def _described(table: pl.DataFrame, measured: pl.DataFrame) -> dict[str, Any]:
    pixels = [np.asarray(Image.open(io.BytesIO(data), formats=["PNG"]).convert("L")) for data in measured["image"]]
    lengths = [len(text) for text in table["text"]]
    return {
        "images": len(table),
        "texts": table["text"].n_unique(),
        "characters": dict(sorted(Counter("".join(table["text"])).items())),
        "lengths": {"least": min(lengths), "mean": round(float(np.mean(lengths)), 2), "most": max(lengths)},
        "fonts": _counted(table["font"]),
        "backgrounds": _counted(table["background"]),
        "luminance": round(float(np.mean([image.mean() for image in pixels])), 1),
        "contrast": round(float(np.mean([image.std() for image in pixels])), 1),
    }


def _counted(values: pl.Series) -> dict[str, int]:
    return dict(sorted(Counter(values.drop_nulls()).items()))
