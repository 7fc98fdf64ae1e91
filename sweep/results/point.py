"""A rate-accuracy point as a type; the columns of points.parquet follow from the fields here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from sweep.results.pareto import Objectives

Kind = Literal["uncompressed", "text", "classical", "base", "tfic"]
"""The images as they are, their text read on the device and sent alone, a codec without training, a codec after stage
1, a codec after stage 2."""
UNTRAINED: tuple[Kind, ...] = ("text", "classical")
"""Kinds of points that need no training."""
Status = Literal["complete", "stopped", "failed"]
Cell = str | int | float | None
Columns = dict[str, Cell]
"""A row of the table, by column; null where a column does not apply."""
READER = "accuracy_"
"""Prefix of the accuracy columns of all readers but the first recognizer."""
HELD_OUT = ("tesseract", "rapidocr")
"""Readers whose columns every table has."""
VALIDATION = "val_"
"""Prefix of the columns of figures of the validation images."""
NAMES = {"rate_weight": "lambda", "ocr_weight": "beta"}
"""Columns that are not called as their fields are."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Tells a point from others: the codec and the training."""

    point_id: str
    kind: Kind
    codec: str | None = None
    rate_weight: float | None = None
    """lambda."""
    ocr_weight: float | None = None
    """beta."""
    distortion_weight: float | None = None
    """alpha of the point's last stage."""
    text_weight: float | None = None
    """gamma of the point's last stage."""
    learning_rate: float | None = None
    """Peak of the point's last stage."""
    seed: int | None = None
    stage1_steps: int | None = None
    stage2_steps: int | None = None

    def columns(self) -> Columns:
        """The columns that name the point."""
        return _columns(self)

    @property
    def steps(self) -> int:
        """Updates in both stages."""
        return (self.stage1_steps or 0) + (self.stage2_steps or 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a point costs and gives on one image."""

    index: int
    """The image's place in the test split."""
    bytes: int
    """Of the whole file."""
    read: str
    truth: str
    """As the recognizer can read it."""
    accuracy: float
    repeated: int = 0
    """Of the file's bytes, those that all files have in common: a batch would store them once."""
    confidence: float | None = None
    """Probability, 0 to 1, that the reader gives to what it read; None: it gives none."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """Where a point lies in the rate-accuracy plane: means over images; None where a figure does not apply."""

    bpp: float
    """Bits of the whole file per pixel."""
    accuracy: float
    """Share of letters and digits that are read correctly (TFIC, section IV-A)."""
    cer: float
    ocr_ms: float | None = None
    """Milliseconds in which the recognizer reads one image alone on the CPU."""
    ocr_ms_std: float | None = None
    bpp_own: float | None = None
    """Bits per pixel without the bytes that all files have in common, which a batch would store once."""
    bpp_payload: float | None = None
    """Bits per pixel of the coded latents alone, without header."""
    bpp_estimated: float | None = None
    """Bits per pixel that the likelihoods of the latents promise."""
    psnr_db: float | None = None
    encode_ms: float | None = None
    """Milliseconds from the pixels of one image to the bytes of the file, on the CPU."""
    encode_ms_std: float | None = None
    decode_ms: float | None = None
    others: Mapping[str, float] = field(default_factory=dict[str, float])
    """Accuracy of readers beside the first recognizer, by name: recognizers that teach too, and held-out engines."""
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    """Each image by itself, as the first recognizer reads it; empty where a point comes out of the table."""


@dataclass(frozen=True, slots=True)
class ValidationMetrics:
    """What is chosen by, such as by the search: means over the validation images."""

    bpp: float
    """Bits of the whole file per pixel."""
    accuracy: float
    bpp_own: float | None = None
    """Bits per pixel without the bytes that all files have in common, which a batch would store once."""
    psnr_db: float | None = None
    """None where nobody draws a picture: in a simulation, and in tables of early releases."""

    @property
    def objectives(self) -> Objectives:
        """Where the trial lies in the plane that is searched."""
        return Objectives(self.bpp, self.accuracy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """What became of a point, with all that was measured."""

    identity: Identity
    status: Status
    test: RatePoint | None = None
    """None where the point is not complete."""
    val: ValidationMetrics | None = None
    """None where nothing was trained. For a stopped point, what was reached when it stopped."""
    train_seconds: float | None = None
    checkpoint: str | None = None
    """Path in the run's folder."""
    mlflow_run_id: str | None = None
    reason: str | None = None
    """Why the point failed or stopped, or what went wrong on the way."""

    @property
    def point_id(self) -> str:
        """Key of the point's training, or name of what needs none."""
        return self.identity.point_id

    @property
    def codec(self) -> str:
        """Name of the codec of a trained point, or of the curve of a codec without training."""
        assert self.identity.codec is not None, "the uncompressed images have no codec"
        return self.identity.codec

    @property
    def measured(self) -> RatePoint:
        """What was measured of a complete point."""
        assert self.test is not None, f"point {self.point_id} is {self.status}"
        return self.test

    def columns(self) -> Columns:
        """The row of the table, without what follows from other rows."""
        own: Columns = {name: getattr(self, name) for name in OWN}
        test: Columns = {} if self.test is None else _columns(self.test)
        others: Columns = {} if self.test is None else _prefixed(self.test.others)
        val: Columns = {} if self.val is None else _columns(self.val, VALIDATION)
        return self.identity.columns() | test | others | val | own

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Point":
        """The point of a row of the table, which may have more columns."""
        others = {name.removeprefix(READER): value for name, value in row.items() if name.startswith(READER)}
        read = {name: value for name, value in others.items() if value is not None}
        test = None if row["accuracy"] is None else _of(RatePoint, row, others=read)
        val = None if row["val_accuracy"] is None else _of(ValidationMetrics, row, VALIDATION)
        return cls(identity=_of(Identity, row), test=test, val=val, **{name: row[name] for name in OWN})


OWN = ("status", "train_seconds", "checkpoint", "mlflow_run_id", "reason")
"""Fields of a point that are columns themselves."""
PARTS = ((Identity, ""), (RatePoint, ""), (ValidationMetrics, VALIDATION))
"""Types whose fields are columns, and the prefix that the columns have."""
Part = TypeVar("Part", Identity, RatePoint, ValidationMetrics)


def schema() -> dict[str, type]:
    """The Python type of each column that every table has."""
    hints = {column: get_type_hints(part)[name] for part, prefix in PARTS for name, column in _names(part, prefix)}
    hints |= {READER + name: float for name in HELD_OUT}
    own = get_type_hints(Point)
    hints |= {name: own[name] for name in OWN}
    return {name: _type(hint) for name, hint in hints.items()}


def _type(hint: Any) -> type:
    """The type of a field's values that are not None."""
    if get_origin(hint) is Literal:
        return str
    return next((option for option in get_args(hint) if option is not NoneType), hint)


def _names(part: Any, prefix: str) -> list[tuple[str, str]]:
    """The fields of a part that are one column each, and the columns."""
    names = [each.name for each in fields(part)]
    return [(name, prefix + NAMES.get(name, name)) for name in names if name not in ("others", "readings")]


def _columns(part: Identity | RatePoint | ValidationMetrics, prefix: str = "") -> Columns:
    return {column: getattr(part, name) for name, column in _names(part, prefix)}


def _prefixed(accuracies: Mapping[str, float]) -> Columns:
    return {READER + name: accuracy for name, accuracy in accuracies.items()}


def _of(kind: type[Part], row: Mapping[str, Any], prefix: str = "", **others: Any) -> Part:
    return kind(**{name: row[column] for name, column in _names(kind, prefix)}, **others)
