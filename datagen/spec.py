"""What a data set is, in full: two equal specifications give the same bytes."""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal

from pydantic import Discriminator, TypeAdapter
from tyro.conf import Suppress

from datagen.errors import SpecError
from datagen.lines import LATER, Background, Look, Texts
from datagen.scenes import RELEASE, Scene

Split = Literal["train", "val", "test"]
Kept = Literal["words", "fonts", "backgrounds"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
RENDERER = 4
"""Raised whenever the same specification starts to give other pixels."""
SIDE = 64
"""Pixels that a canvas's sides are multiples of."""
NARROWEST = 4
"""Pixels of the canvas's width that a text needs for each character, be it drawn as large as fits."""


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
    """A folder of your own fonts (.ttf, .otf, .ttc, .woff2); TextRecognitionDataGenerator's else."""
    more_fonts: str | None = field(default=None, metadata=LATER)
    """A folder of fonts beside those."""
    backgrounds: tuple[Background, ...] = (
        "noise",
        "plain",
        "photo",
        "photo",
        "gradient",
        "clouds",
        "lines",
        "shapes",
    )
    """Drawn with equal probability; one that stands twice is drawn twice as often."""
    photos: str | None = None
    """A folder of your own images for the background `photo`; TextRecognitionDataGenerator's four else."""
    look: Look = field(default_factory=Look)
    scenes: Suppress[tuple[Scene, ...]] = field(default=(), metadata=LATER)
    """What a share of the images shows instead of what texts, backgrounds and look say."""
    shared: tuple[Kept, ...] = ()
    """What the splits may share. Else no word, font family or part of a photo of one is in another; of your own file,
    no line is, but lines may have words in common."""
    shard: int = 500
    """Images a Parquet file."""
    seed: int = 0
    """Another one draws other images of the same kind."""
    contents: Suppress[str] = ""
    """SHA-256 over your own files that it names; see `own_files.with_checksum`."""
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
        if self.texts.file is None and self.texts.length[1] > self.longest:
            raise SpecError(
                f"words of {self.texts.length[1]} characters are too long for a canvas of {self.width} pixels with "
                f"room for {self.longest}; make length shorter, or the canvas wider"
            )
        if not self.backgrounds:
            raise SpecError("backgrounds is empty; name at least one")
        if sum(scene.share for scene in self.scenes) > 1 + 1e-9:
            raise SpecError("the shares of the scenes add up to more than 1")
        for scene in self.scenes:
            self.within(scene)

    def within(self, scene: Scene | None) -> "DatasetSpec":
        """What a scene's images are drawn by; None: those of no scene."""
        if scene is None:
            return replace(self, scenes=())
        texts = replace(self.texts, words=scene.words, amounts=scene.amounts)
        return replace(self, texts=texts, backgrounds=scene.backgrounds, look=scene.look, scenes=())

    @property
    def longest(self) -> int:
        """Characters of the longest text."""
        return (self.width - 2 * self.look.margin) // NARROWEST

    def digest(self) -> str:
        """Sixteen hexadecimal digits that name this data set: its specification and the renderer's version."""
        return _digest({"renderer": RENDERER, **_read_back(self)})


@functools.cache
def _read_back(spec: DatasetSpec) -> dict[str, Any]:
    """A specification as it will be read from its manifest, where 60 and 60.0 are one."""
    return asdict(TypeAdapter(DatasetSpec).validate_python(asdict(spec)), dict_factory=_identity)


def _identity(values: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields that tell data sets apart. Where one that was added is as if there were none, it is left out."""
    return {name: value for name, value in values if not (name in _added() and value == _added()[name])}


@functools.cache
def _added() -> dict[str, Any]:
    """Fields that specifications did not always have, and their defaults."""
    kinds = (DatasetSpec, Texts, Look)
    return {each.name: each.default for kind in kinds for each in fields(kind) if each.metadata}


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
    """Decides which image is in which split."""
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


def paper() -> DatasetSpec:
    """The paper's size: 20,000 training and 600 test images (TFIC, section IV-A)."""
    return DatasetSpec()


def cpu() -> DatasetSpec:
    """For two cores."""
    return DatasetSpec(train=20_000, val=240)


def smoke() -> DatasetSpec:
    """For trying the platform out: rendered in seconds."""
    return DatasetSpec(train=96, val=24, test=24, shard=48)


def release() -> DatasetSpec:
    """What the default draws, and more of what there is: receipts, pages, screens, signs and stamps."""
    return DatasetSpec(train=40_000, val=240, scenes=RELEASE)


PRESETS = {"paper": paper, "cpu": cpu, "smoke": smoke, "release": release}
