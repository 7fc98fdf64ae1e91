"""A model card: what a model reaches, what it was made of, how it is used and where its limits are, in Markdown."""

from pathlib import Path

import polars as pl

from datagen.files import atomic
from models.files.model import TrainedCodec
from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.results import choosing, points, spread
from sweep.results.card_sections import MARK, joined, limits, made, number, steps, table, taught, use
from sweep.results.folder import RunFolder
from sweep.results.intervals import Bounds, shown
from sweep.results.point import HELD_OUT, Point
from sweep.results.points import RATES, Counting

COUNTED: tuple[tuple[Counting, str], ...] = (("whole", "whole files"), ("own", "less the bytes that all files repeat"))


def place(model: Path) -> Path:
    """The card's file, beside the model's.

    Raises:
        SweepError: it is the model itself, or another file that is not to be replaced; the model is a folder.
    """
    if model.is_dir():
        raise SweepError(f"{model} is a folder; give --out a file in it, such as {model / 'model.pt'}")
    card = model.parent / f"{model.stem}.md"
    if card == model:
        raise SweepError(f"{model} is the name of the card beside a model; give another --out, such as model.pt")
    if card.is_file() and not card.read_bytes().startswith(MARK.encode()):
        raise SweepError(f"{card} exists and is no model card; move it away, or give another --out")
    return card


def write(text: str, card: Path) -> None:
    """Writes a card whole.

    Raises:
        SweepError: it cannot be written.
    """
    try:
        with atomic(card) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SweepError(f"{card} cannot be written ({error.strerror}); give another --out") from error


def of_point(run: RunFolder, frame: pl.DataFrame, bounds: Bounds, point: Point, model: TrainedCodec, file: Path) -> str:
    """The card of the codec of a point, as the model in a file."""
    chosen = choosing.judged(point)
    return joined(
        f"# {file.name}",
        f"A codec for images of text, of one rate: point `{point.point_id}` of the run `{run.path.name}`.",
        "## What it reaches",
        f"Means over the {run.config.data.test} test images, with 95 % intervals over images in brackets. The point "
        f"was chosen on validation images, where it takes {chosen.bpp:.4f} bpp and reads {chosen.accuracy:.3f}.",
        table(("", "this model", "uncompressed"), _figures(run.config, frame, bounds, point)),
        _held_out(point),
        _beside(frame, point.measured.bpp),
        made(run, model, _training(run.config, point)),
        use(run.config, file),
        limits(run.config, taught=point.identity.kind == "tfic"),
    )


def _figures(config: SweepConfig, frame: pl.DataFrame, bounds: Bounds, point: Point) -> list[list[str]]:
    """Rows of what was measured of a point, beside the images as they are."""
    both = [point, *points.listed(points.complete(frame, "uncompressed"))]
    measured = [each.measured for each in both]
    roles = {name: "held out" if name in HELD_OUT else "which taught too" for name in point.measured.others}
    return [
        ["bits per pixel, whole file", *(shown(each, "bpp", bounds) for each in both)],
        [f"accuracy of {config.recognizers[0].name}", *(shown(each, "accuracy", bounds) for each in both)],
        *(
            [f"accuracy of {name}, {role}", *(number(of.others.get(name), 3) for of in measured)]
            for name, role in roles.items()
        ),
        ["PSNR, dB", *(number(of.psnr_db, 2) for of in measured)],
        ["encoding an image, ms", *(_spread(of.encode_ms, of.encode_ms_std) for of in measured)],
        ["decoding an image, ms", *(number(of.decode_ms, 1) for of in measured)],
        ["reading an image (OCR), ms", *(_spread(of.ocr_ms, of.ocr_ms_std) for of in measured)],
    ]


def _spread(mean: float | None, deviation: float | None) -> str:
    return number(mean, 1) if deviation is None else f"{number(mean, 1)} ± {deviation:.1f}"


def _held_out(point: Point) -> str:
    """Whether anybody has read the point whom it was not trained for."""
    if point.measured.others.keys() & {*HELD_OUT}:
        return "Held out is a reader against which no codec was trained."
    return (
        "No held-out reader has read this point: a sweep has the front read where Tesseract or RapidOCR is installed."
    )


def _beside(frame: pl.DataFrame, bpp: float) -> str:
    """What a codec's figures stand beside: the best within its rate without training, in both countings of bytes; the
    text itself; other seeds."""
    lines = [f"Without training, the best at this rate, {what}: {_baseline(frame, bpp, of)}." for of, what in COUNTED]
    lines += [said] if (said := spread.said(frame)) else []
    for name, rate, accuracy in points.complete(frame, "text").select("point_id", "bpp", "accuracy").iter_rows():
        lines.append(f"The text alone, read before it is sent ({name}): accuracy {accuracy:.3f} at {rate:.4f} bpp.")
    return "\n".join(f"- {line}" for line in lines)


def _baseline(frame: pl.DataFrame, bpp: float, counting: Counting) -> str:
    rate = RATES[counting]
    envelope = points.chosen(points.complete(frame, "classical").drop_nulls(rate), counting)
    if envelope.is_empty():
        return "unknown, for none is measured"
    fitting = envelope.filter(pl.col(rate) <= bpp)
    if fitting.is_empty():
        return "nothing, for no baseline has so small files"
    name, least, accuracy = fitting.select("point_id", rate, "accuracy").row(-1)
    return f"{name}, accuracy {accuracy:.3f} at {least:.4f} bpp"


def _training(config: SweepConfig, point: Point) -> list[tuple[str, str]]:
    """Rows of how the codec of a point was trained."""
    of = point.identity
    weights = (
        ("λ, of the rate", of.rate_weight),
        ("β, of OCR", of.ocr_weight),
        ("α, of pixels", of.distortion_weight),
        ("γ, of the clean text", of.text_weight),
    )
    return [
        *((name, f"{weight:.4g}") for name, weight in weights if weight is not None),
        steps(of.stage1_steps or 0, of.stage2_steps or 0),
        ("seed", str(of.seed)),
        taught(config, since_start=point.identity.kind == "tfic"),
    ]
