"""What a data set is, in full: two equal specifications give the same bytes."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Discriminator

from datagen.errors import SpecError

Split = Literal["train", "val", "test"]
Background = Literal["noise", "plain", "quasicrystal", "photo"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
RENDERER = 1
"""Raised whenever the same specification starts to give other pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetSpec:
    """One word an image, drawn over a background; the word's aspect ratio is kept, its place is random."""

    train: int = 20_000
    """Images to train on."""
    val: int = 600
    """Images that steer the search."""
    test: int = 600
    """Images that every reported figure is measured on."""
    width: int = 256
    """Pixels."""
    height: int = 64
    """Pixels."""
    language: str = "en"
    """Name of a TextRecognitionDataGenerator dictionary."""
    word_length: tuple[int, int] = (3, 12)
    """Fewest and most characters of a word."""
    backgrounds: tuple[Background, ...] = ("noise", "plain", "photo")
    """Drawn with equal probability."""
    text_scale: tuple[float, float] = (0.6, 1.0)
    """Size of the text, as a fraction of the largest that fits the canvas."""
    contrast: float = 60.0
    """Least difference of mean luminance between the text and what lies under it, 0 to 255."""
    skew: float = 3.0
    """Largest rotation either way, degrees."""
    blur: float = 1.0
    """Largest radius of the Gaussian blur, pixels."""
    shard: int = 500
    """Images a Parquet file."""
    seed: int = 0
    kind: Literal["rendered"] = "rendered"

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test, self.shard) < 1:
            raise SpecError(
                f"every split and shard needs an image: {self.train=}, {self.val=}, {self.test=}, {self.shard=}"
            )
        if min(self.width, self.height) < 16:
            raise SpecError(f"a canvas of {self.width}x{self.height} is too small for text; 16 pixels a side at least")
        if not self.backgrounds:
            raise SpecError("backgrounds is empty; name at least one")
        _check_range("word_length", self.word_length, 1, 40)
        _check_range("text_scale", self.text_scale, 0.1, 1.0)

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name this data set: its specification and the renderer's version."""
        return _digest({"renderer": RENDERER, **asdict(self)})


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportSpec:
    """A user's own images, fitted into the canvas; the shards are what there is of them."""

    train: int
    val: int
    test: int
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    shard: int
    """Images a Parquet file."""
    seed: int
    """Of the split."""
    unlabeled: int
    """Images without a text."""
    content: str
    """SHA-256 over the shards' checksums."""
    kind: Literal["imported"] = "imported"

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name this data set, by what its shards hold."""
        return _digest(asdict(self))


Spec = Annotated[DatasetSpec | ImportSpec, Discriminator("kind")]
"""What a data set's folder holds."""


def count(spec: Spec, split: Split) -> int:
    """Images of a split."""
    return {"train": spec.train, "val": spec.val, "test": spec.test}[split]


def _digest(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _check_range(name: str, bounds: tuple[float, float], least: float, most: float) -> None:
    low, high = bounds
    if not least <= low <= high <= most:
        raise SpecError(f"{name}={bounds} must be a rising pair within {least} and {most}")


def paper() -> DatasetSpec:
    """The paper's size: 20,000 training and 600 test images (TFIC, section IV-A)."""
    return DatasetSpec()


def cpu() -> DatasetSpec:
    """For two cores: rendered in two minutes."""
    return DatasetSpec(train=10_000, val=200, test=240)


def smoke() -> DatasetSpec:
    """For trying the platform out: rendered in seconds."""
    return DatasetSpec(train=96, val=24, test=24, shard=48)


PRESETS = {"paper": paper, "cpu": cpu, "smoke": smoke}
