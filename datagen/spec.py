"""What a data set is, in full: two equal specifications give the same bytes."""

import functools
import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Discriminator, TypeAdapter
from tyro.conf import Suppress

from datagen.errors import SpecError

Split = Literal["train", "val", "test"]
Background = Literal["noise", "plain", "quasicrystal", "photo", "gradient", "clouds", "lines", "shapes"]
Characters = Literal["letters", "digits", "symbols"]
Kept = Literal["words", "fonts", "backgrounds"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
RENDERER = 2
"""Raised whenever the same specification starts to give other pixels."""
READABLE = "".join(map(chr, range(ord(" "), ord("~") + 1))) + "€"
"""What the recognizers read."""
SIDE = 64
"""Pixels that a canvas's sides are multiples of."""

Range = tuple[float, float]
"""Least and most; a value is drawn evenly between them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What is written: a line of one or more words an image."""

    language: str = "en"
    """Dictionary of TextRecognitionDataGenerator that words come from."""
    file: str | None = None
    """A file of your own: each of its lines is a text, instead of words."""
    random: float = 0.3
    """Share of texts that are random strings of `pool` instead."""
    pool: tuple[Characters, ...] = ("letters", "digits", "symbols")
    """What random strings are made of, each of some or all of them."""
    words: tuple[int, int] = (1, 1)
    """Fewest and most words, or random strings, a line."""
    length: tuple[int, int] = (3, 12)
    """Fewest and most characters of each."""
    upper: float = 0.4
    """Share of dictionary words written in capitals."""
    capitalized: float = 0.3
    """Share of dictionary words with their first letter in capitals."""
    characters: str = READABLE
    """Every text is made of these alone."""

    def __post_init__(self) -> None:
        _check_range("words", self.words, 1, 20)
        _check_range("length", self.length, 1, 40)
        _check_shares(random=self.random, upper=self.upper, capitalized=self.capitalized)
        if self.random and not self.pool:
            raise SpecError("pool is empty, but random strings are asked for; name letters, digits or symbols")
        if not any(character.isalnum() for character in self.characters):
            raise SpecError("characters has no letter and no digit, so that nothing is left to write")


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How a text lies on its background, and what became of the picture since."""

    size: Range = (0.5, 1.0)
    """Of the text, as a share of the largest that fits the canvas."""
    margin: int = 0
    """Pixels at every side that stay free."""
    contrast: Range = (80.0, 255.0)
    """Difference of luminance between the text and what lies under it, where the background allows for so much."""
    light: float = 0.5
    """Share of texts lighter than their background, where it allows for that."""
    color: float = 0.5
    """Share of texts, and of white backgrounds, that take a color instead of a grey."""
    spacing: Range = (0.0, 0.15)
    """Between characters, in sizes of the font."""
    space: Range = (0.7, 1.3)
    """Between words, in spaces of the font."""
    outline: float = 0.1
    """Share of texts with an outline of another color."""
    outline_width: tuple[int, int] = (1, 2)
    """Pixels."""
    distortion: float = 0.1
    """Share of texts with one of TextRecognitionDataGenerator's distortions: sine, cosine or random."""
    skew: float = 4.0
    """Largest rotation either way, degrees."""
    perspective: float = 0.05
    """Largest shift of a corner of the text's box, as a share of its side."""
    curvature: float = 0.1
    """Largest bend of the text's middle against its ends, as a share of its height."""
    light_falloff: float = 0.3
    """Share of images lit from one side."""
    shadow: float = 0.2
    """Share of images with a shadow across."""
    blur: float = 1.2
    """Largest radius of the Gaussian blur, pixels."""
    noise: float = 0.3
    """Share of images with a camera's noise."""
    noise_level: Range = (2.0, 12.0)
    """Its standard deviation, of 255."""
    jpeg: float = 0.3
    """Share of images with the traces of a JPEG file."""
    jpeg_quality: tuple[int, int] = (30, 90)
    """Of such a file, 1 to 100."""

    def __post_init__(self) -> None:
        _check_range("size", self.size, 0.05, 1.0)
        _check_range("contrast", self.contrast, 0, 255)
        _check_range("jpeg_quality", self.jpeg_quality, 1, 100)
        _check_range("spacing", self.spacing, 0, 10)
        _check_range("space", self.space, 0, 10)
        _check_range("outline_width", self.outline_width, 0, 20)
        _check_range("noise_level", self.noise_level, 0, 255)
        _check_amounts(margin=self.margin, skew=self.skew, curvature=self.curvature, blur=self.blur)
        shares = ("light", "color", "outline", "distortion", "perspective", "light_falloff", "shadow", "noise", "jpeg")
        _check_shares(**{name: getattr(self, name) for name in shares})


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetSpec:
    """Texts drawn by TextRecognitionDataGenerator over backgrounds, one an image."""

    train: int = 20_000
    """Images to train on."""
    val: int = 600
    """Images that steer the search."""
    test: int = 600
    """Images that every reported figure is measured on."""
    width: int = 256
    """Pixels, a multiple of 64."""
    height: int = 64
    """Pixels, a multiple of 64."""
    texts: Texts = field(default_factory=Texts)
    fonts: str | None = None
    """A folder of your own TrueType or OpenType fonts; TextRecognitionDataGenerator's else."""
    backgrounds: tuple[Background, ...] = (
        *("noise", "plain", "photo", "photo"),
        *("gradient", "clouds", "lines", "shapes"),
    )
    """Drawn with equal probability; one that stands twice is drawn twice as often."""
    photos: str | None = None
    """A folder of your own images for the background `photo`; TextRecognitionDataGenerator's four else."""
    look: Look = field(default_factory=Look)
    shared: tuple[Kept, ...] = ()
    """What the splits may share. Else no word, font family or part of a photo of one is in another."""
    shard: int = 500
    """Images a Parquet file."""
    seed: int = 0
    """Another one draws other images of the same kind."""
    contents: Suppress[str] = ""
    """SHA-256 over your own files that it names; see `own_files.sealed`."""
    kind: Suppress[Literal["rendered"]] = "rendered"

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test, self.shard) < 1:
            raise SpecError(
                f"every split and shard needs an image: {self.train=}, {self.val=}, {self.test=}, {self.shard=}"
            )
        check_canvas(self.width, self.height)
        if min(self.width, self.height) - 2 * self.look.margin < 16:
            raise SpecError(
                f"a canvas of {self.width}x{self.height} with a margin of {self.look.margin} is too small for text; "
                "16 pixels a side at least"
            )
        if not self.backgrounds:
            raise SpecError("backgrounds is empty; name at least one")

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name this data set: its specification and the renderer's version."""
        return _digest({"renderer": RENDERER, **_read_back(self)})


@functools.cache
def _read_back(spec: DatasetSpec) -> dict[str, Any]:
    """A specification as it will be read from its manifest, where 60 and 60.0 are one."""
    return asdict(TypeAdapter(DatasetSpec).validate_python(asdict(spec)))


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


def split_of(key: str, seed: int) -> Split:
    """The split that owns a word or line: a tenth each for val and test, by a hash that ignores case."""
    tenth = hashlib.blake2b(f"{seed}/{key.casefold()}".encode(), digest_size=4).digest()
    match int.from_bytes(tenth) % 10:
        case 0:
            return "val"
        case 1:
            return "test"
        case _:
            return "train"


def _digest(identity: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def check_canvas(width: int, height: int) -> None:
    """Looks at the size of images.

    Raises:
        SpecError: no codec takes them.
    """
    if min(width, height) < 1 or width % SIDE or height % SIDE:
        raise SpecError(f"a canvas of {width}x{height}: codecs need sides that {SIDE} divides")


def _check_range(name: str, bounds: tuple[float, float], least: float, most: float) -> None:
    low, high = bounds
    if not least <= low <= high <= most:
        raise SpecError(f"{name}={bounds} must be a rising pair within {least} and {most}")


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise SpecError(f"{name}={share} must be a share, 0 to 1")


def _check_amounts(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not 0 <= amount < math.inf:
            raise SpecError(f"{name}={amount} must be 0 or more")


def paper() -> DatasetSpec:
    """The paper's size: 20,000 training and 600 test images (TFIC, section IV-A)."""
    return DatasetSpec()


def cpu() -> DatasetSpec:
    """For two cores."""
    return DatasetSpec(train=10_000, val=200, test=240)


def smoke() -> DatasetSpec:
    """For trying the platform out: rendered in seconds."""
    return DatasetSpec(train=96, val=24, test=24, shard=48)


PRESETS = {"paper": paper, "cpu": cpu, "smoke": smoke}
