"""A user's own images -> the shards of a data set; what cannot be used is listed with its reason."""

import hashlib
import itertools
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datagen import labels, renderings, shards, sources, summary
from datagen.errors import DataError, ItemError
from datagen.fitting import fit, fit_both
from datagen.items import Item
from datagen.lines import READABLE
from datagen.sample import Sample, ink_png, png
from datagen.shards import MANIFEST, Manifest, Shard
from datagen.spec import NARROWEST, SPLITS, ImportSpec, Split, check_canvas, split_of
from datagen.survey import Survey, survey

SHARD = 500
"""Images a Parquet file."""
CHUNK = 256
"""Images that are opened at a time."""
SURE = "--texts-are-right"
"""Option that takes doubtful texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """What an imported image becomes."""

    width: int = 256
    """Pixels."""
    height: int = 64
    """Pixels."""

    def __post_init__(self) -> None:
        check_canvas(self.width, self.height)


class Fitted(NamedTuple):
    """An image that can be used, or why it cannot."""

    name: str
    image: bytes
    """PNG."""
    text: str
    ink: bytes | None = None
    """PNG, grey."""
    reason: str | None = None


def import_images(
    source: Path,
    out: Path,
    canvas: Canvas,
    *,
    labeled: bool = True,
    labels: tuple[str, ...] = (),
    clean: Path | None = None,
    sure: bool = False,
    characters: str = READABLE,
    seed: int = 0,
    understood: Callable[[Survey], None] = lambda survey: None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Manifest:
    """Writes the images of a source as a data set.

    A text's split is found by its hash, an image's without text by its own: more images move none, and no text stands
    in two splits.

    Args:
        source: what `sources.find` understands, and `labels` likewise.
        clean: a folder with a clean rendering of each image, black text on white, by the image's name.
        sure: texts are taken however doubtful they look.
        characters: that texts may hold.
        understood: called with what the texts are, before anything is written.
        report: called with images done and images in all.

    Raises:
        DataError: the source holds no images, doubtful texts, or too few for three splits; `out` holds a data set or
            cannot be written.
    """
    if out.resolve() == source.resolve():
        raise DataError(f"{out} holds the images; choose another --out, so that they stay apart from the data set")
    if clean is not None:
        renderings.check(clean, source)
    found = sources.find(source, labeled=labeled, labels=labels, without=out)
    surveyed = survey(found)
    understood(surveyed)
    if surveyed.doubt and not sure:
        raise DataError(f"{source}: {surveyed.doubt}; name the file of the texts with --labels, or {SURE} if they are")
    try:
        with shards.claimed(out):
            if (out / MANIFEST).exists():
                raise DataError(f"{out} holds a data set already; choose another --out, or delete it")
            writer = _Writer(out, seed)
            known = frozenset(unicodedata.normalize("NFC", characters))
            for done, fitted in enumerate(_fitted(iter(found.items()), canvas, known, clean), start=1):
                writer.add(fitted)
                report(done, found.total)
            return writer.finish(canvas)
    except BrokenPipeError:
        # What is told of the progress finds no reader; the folder is as it should be.
        raise
    except OSError as error:
        raise DataError(f"{out} cannot be written ({error.strerror}); choose another folder") from error


def _fitted(items: Iterator[Item], canvas: Canvas, known: frozenset[str], clean: Path | None) -> Iterator[Fitted]:
    with ThreadPoolExecutor() as threads:
        while chunk := list(itertools.islice(items, CHUNK)):
            yield from threads.map(partial(_fit, canvas=canvas, known=known, clean=clean), chunk)


def _fit(item: Item, canvas: Canvas, known: frozenset[str], clean: Path | None) -> Fitted:
    size = canvas.width, canvas.height
    try:
        text = "" if item.label is None else labels.text_of(item.label, known, canvas.width // NARROWEST)
        if clean is None:
            return Fitted(item.title, png(np.asarray(fit(item.read(), *size))), text)
        picture, ink = fit_both(item.read(), renderings.read(clean, item.name), *size)
        return Fitted(item.title, png(np.asarray(picture)), text, ink_png(ink))
    except ItemError as error:
        return Fitted(item.title, b"", "", reason=str(error))


class _Writer:
    """Sorts images into splits and writes a shard whenever one is full."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._waiting: dict[Split, list[Sample]] = defaultdict(list)
        self._counts: Counter[Split] = Counter()
        self._unlabeled = 0
        self._sha256: dict[str, str] = {}
        self._rejected: dict[str, str] = {}
        self._first: dict[str, tuple[str, str]] = {}
        """Name and text of the first image that shows a picture, by its SHA-256."""

    def add(self, fitted: Fitted) -> None:
        picture = hashlib.sha256(fitted.image).hexdigest()
        if reason := fitted.reason or self._contradiction(picture, fitted):
            self._rejected[fitted.name] = reason
            return
        split = split_of(fitted.text or picture, self._seed)
        self._waiting[split].append(Sample(fitted.image, fitted.text, self._counts[split], ink=fitted.ink))
        self._counts[split] += 1
        self._unlabeled += not fitted.text
        if len(self._waiting[split]) == SHARD:
            self._write(split)

    def _contradiction(self, picture: str, fitted: Fitted) -> str | None:
        """Why a picture's text cannot be right along with an earlier one."""
        name, text = self._first.setdefault(picture, (fitted.name, fitted.text))
        return None if text == fitted.text else f"its picture is that of {name}, whose text is {text!r}"

    def finish(self, canvas: Canvas) -> Manifest:
        for split in SPLITS:
            if self._waiting[split]:
                self._write(split)
        if not all(self._counts[split] for split in SPLITS):
            raise DataError(_too_few(self._counts, self._rejected))
        content = hashlib.sha256(json.dumps(self._sha256, sort_keys=True).encode()).hexdigest()
        train, val, test = (self._counts[split] for split in SPLITS)
        spec = ImportSpec(
            train=train,
            val=val,
            test=test,
            width=canvas.width,
            height=canvas.height,
            shard=SHARD,
            seed=self._seed,
            unlabeled=self._unlabeled,
            content=content,
        )
        manifest = Manifest(spec, self._sha256, self._rejected)
        manifest.save(self._folder)
        summary.write(self._folder)
        return manifest

    def _write(self, split: Split) -> None:
        samples = self._waiting.pop(split)
        stop = self._counts[split]
        shard = Shard(split, (stop - 1) // SHARD, stop - len(samples), stop)
        self._sha256[shard.name] = shards.write(self._folder / shard.name, samples)


def _too_few(counts: Counter[Split], rejected: dict[str, str]) -> str:
    given = ", ".join(f"{counts[split]} {split}" for split in SPLITS)
    said = f"the usable images make {given}; every split needs one, and a text stands in one split only: import more"
    if not rejected:
        return said
    name, reason = next(iter(rejected.items()))
    return f"{said}. {len(rejected)} cannot be used; {name}: {reason}"
