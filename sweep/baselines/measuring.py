"""Images -> files -> images -> what is read in them; equal images are read once."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from datagen.dataset import TextImages, to_tensor
from models.baselines.base import Baseline
from models.baselines.text import TextCoder
from models.metrics import accuracy, psnr_db
from models.recognizers.base import FrozenRecognizer, Transcription
from sweep.baselines.points import Reading

Item = TypeVar("Item")
Result = TypeVar("Result")
Images = UInt8[NDArray[Any], "n h w 3"]
BATCH = 8


class ReadOnce:
    """A recognizer that reads each image once, whatever codec gave it."""

    def __init__(self, recognizer: FrozenRecognizer) -> None:
        self.images_read = 0
        self.as_read = recognizer.as_read
        self._recognizer = recognizer
        self._said: dict[bytes, Transcription] = {}

    def read(self, images: Images) -> list[Transcription]:
        """What is read in each image."""
        keys = [hashlib.sha256(image.tobytes()).digest() for image in images]
        new = {key: at for at, key in enumerate(keys) if key not in self._said}
        places = list(new.values())
        for start in range(0, len(places), BATCH):
            chosen = places[start : start + BATCH]
            said = self._recognizer.read(to_tensor(images[chosen]))
            self._said |= {keys[at]: each for at, each in zip(chosen, said, strict=True)}
        self.images_read += len(places)
        return [self._said[key] for key in keys]


class Encoded(NamedTuple):
    """Files of some images."""

    files: list[bytes]
    repeated: list[int]
    """Bytes of each that all have in common; 0 for one whose shared part is another."""
    milliseconds: list[float]


def encode(codec: Baseline, images: Images) -> Encoded:
    """A file an image."""
    files, milliseconds = timed(codec.encode, images)
    parts = [codec.container.split(file) for file in files]
    [(shared, _)] = Counter(part.shared for part in parts).most_common(1)
    repeated = [
        codec.repeated_bytes(file) if part.shared == shared else 0 for file, part in zip(files, parts, strict=True)
    ]
    return Encoded(files, repeated, milliseconds)


def measure(codec: Baseline, data: TextImages, start: int, end: int, reader: ReadOnce) -> list[Reading]:
    """Writes, restores and reads the images from `start` to `end`, of which there is at least one."""
    originals, texts = data.images[start:end], data.texts[start:end]
    height, width = originals.shape[1:3]
    encoded = encode(codec, originals)
    decoded, decode_ms = timed(lambda file: codec.decode(file, width, height), encoded.files)
    images = np.stack(decoded)
    said = reader.read(images)
    read = [each.text for each in said]
    psnr = [float(value) for value in psnr_db(to_tensor(images), to_tensor(originals))]
    sizes = map(len, encoded.files)
    truths = [reader.as_read(text) for text in texts]
    indexes = range(start, start + len(texts))
    columns = (
        indexes,
        sizes,
        encoded.repeated,
        read,
        truths,
        map(accuracy, read, truths),
        [each.confidence for each in said],
        psnr,
        encoded.milliseconds,
        decode_ms,
    )
    return [Reading(*values) for values in zip(*columns, strict=True)]


def measure_text(
    coder: TextCoder,
    read: Callable[[UInt8[NDArray[Any], "h w 3"]], Transcription],
    data: TextImages,
    as_read: Callable[[str], str] = str,
) -> list[Reading]:
    """What a reader on the device reads in the images as they are; its text alone is sent, and nothing is repeated.

    Args:
        read: what is read in an image.
        as_read: takes differences out of the truth that the reader cannot tell.
    """

    def sent(image: UInt8[NDArray[Any], "h w 3"]) -> tuple[bytes, float | None]:
        said = read(image)
        return coder.encode(said.text), said.confidence

    files, milliseconds = timed(sent, data.images)
    readings = list[Reading]()
    for index, ((file, confidence), truth) in enumerate(zip(files, data.texts, strict=True)):
        text, known = coder.decode(file), as_read(truth)
        score = accuracy(text, known)
        readings.append(Reading(index, len(file), 0, text, known, score, confidence, None, milliseconds[index], None))
    return readings


def timed(work: Callable[[Item], Result], items: Iterable[Item]) -> tuple[list[Result], list[float]]:
    """Results and milliseconds of `work` on each item; one run beforehand is not counted."""
    results, times = list[Result](), list[float]()
    for item in items:
        if not results:
            work(item)
        started = time.perf_counter()
        results.append(work(item))
        times.append(1e3 * (time.perf_counter() - started))
    return results, times
