"""Just readable: the smallest files from which a recognizer still reads what it reads in the originals."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import UInt8
from numpy.typing import NDArray

from models import reading
from models.errors import ModelError
from models.files import tfic
from models.files.model import MIDDLE, QUALITIES, Model, RateDial
from models.files.scaling import chosen
from models.files.tfics import Archive
from models.recognizers.base import FrozenRecognizer

BEST = QUALITIES[-1]
STRIDE = 5
"""Positions of the dial between two that are tried at first; the best quality is one of them."""


class Reading(NamedTuple):
    """What is read in an image, before and after."""

    original: str
    file: str


class Tried(NamedTuple):
    """A file, and what it gives back."""

    data: bytes
    read: str
    digest: bytes
    """Of the image."""


class Written(NamedTuple):
    """What a file was made for."""

    original: str
    """What is read in the original."""
    digest: bytes
    """Of the image that the file gives back."""


class Keeper:
    """Makes the files, one after the other, and keeps count of them."""

    def __init__(self, model: Model, recognizer: FrozenRecognizer) -> None:
        """Takes the recognizer that reads, on the CPU.

        Raises:
            ModelError: the model has no dial.
        """
        if not isinstance(model, RateDial):
            raise ModelError(
                "this model has one rate, and --keep-reading needs a dial: python -m sweep.pick RUN --dial --out FILE"
            )
        self._model, self._recognizer = model, recognizer
        self._written: dict[str, Written] = {}
        self._pixels = self._bytes = self._best_bytes = 0
        self.lost: dict[str, Reading] = {}
        """Names of the images from whose files something else is read."""

    def encode(self, image: UInt8[NDArray[Any], "h w *_c"], name: str) -> bytes:
        """The smallest file that is found to keep the reading; of an image that none keeps, that of the best quality.

        What is read is looked for in the image that the file's own bytes give back.

        Raises:
            FormatError: as `tfic.encode`.
            ModelError: the image is too long to be a line of text.
        """
        original, scale = reading.text(image, self._recognizer, name), chosen(self._model, image, MIDDLE)
        tried: dict[int, Tried] = {}

        def keeps(quality: int) -> bool:
            tried[quality] = self._try(image, quality, scale, name)
            return tried[quality].read == original

        found = smallest(keeps)
        file = tried[BEST if found is None else found]
        if found is None:
            self.lost[name] = Reading(original, file.read)
        self._written[name] = Written(original, file.digest)
        self._pixels += image.shape[0] * image.shape[1]
        self._bytes += len(file.data)
        self._best_bytes += len(tried[BEST].data if BEST in tried else tfic.encode(self._model, image, BEST, scale))
        return file.data

    def _try(self, image: UInt8[NDArray[Any], "h w *_c"], quality: int, scale: int, name: str) -> Tried:
        data = tfic.encode(self._model, image, quality, scale)
        restored = tfic.decode(self._model, data)
        return Tried(data, reading.text(restored, self._recognizer, name), _digest(restored))

    def check(self, archive: bytes) -> None:
        """Looks through an archive of the images, whether the readings are kept in it as in files of their own."""
        whole = Archive(archive)
        for name in whole.names:
            image, written = whole.image(self._model, name), self._written[name]
            if _digest(image) != written.digest:
                read = reading.text(image, self._recognizer, name)
                self.lost |= {name: Reading(written.original, read)} if read != written.original else {}

    def said(self) -> str:
        """How many of several images are kept, and at what rate, beside that of the best quality for all."""
        count = len(self._written)
        if count < 2:
            return ""
        return (
            f"{count - len(self.lost)} of {count} images are read as their originals are; {self._rate(self._bytes)} in "
            f"files of their own, where --quality {BEST} takes {self._rate(self._best_bytes)}"
        )

    def _rate(self, length: int) -> str:
        return f"{8 * length / max(1, self._pixels):.4f} bpp"


def smallest(keeps: Callable[[int], bool]) -> int | None:
    """The lowest position of a dial that is found to keep a reading; None where none is found.

    A recognizer may lose in a larger file what it reads in a smaller one, so that bisection would go wrong: positions
    `STRIDE` apart are tried from the lowest on, up to the first that keeps; then those right below it, likewise.
    """
    first = next(filter(keeps, QUALITIES[::STRIDE]), None)
    if first is None:
        return None
    return next(filter(keeps, range(max(QUALITIES[0], first - STRIDE + 1), first)), first)


def _digest(image: UInt8[NDArray[Any], "h w *_c"]) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()
