"""All baselines on a data set: explored on a few validation images, chosen on more, measured on the test images."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from datagen import dataset, shards
from datagen.dataset import TextImages
from models.baselines.base import Baseline
from models.baselines.registry import baselines
from models.baselines.text import TextCoder
from models.metrics import mean_accuracy
from models.recognizers.base import FrozenRecognizer
from models.recognizers.held_out import Reader
from sweep.baselines import cache, choosing
from sweep.baselines.choosing import Rates
from sweep.baselines.measuring import ReadOnce, encode, measure, measure_text
from sweep.baselines.points import SCHEMA, Point, Reading, point

logger = logging.getLogger(__name__)
WEIGHED, EXPLORED, CHOSEN_BY = 8, 24, 96
"""Validation images whose files tell a setting's rate, that explore the settings, and that choose among them."""
EXPLORED_STEP, CHOSEN_STEP = 1.05, 1.12
"""Ratio of the rates of neighboring settings that go from exploring to choosing, and from choosing to the test."""
CHOSEN_SLACK = 0.02
"""How far below the envelope a setting may read on the images that choose."""
TEXT = "text"
"""First part of the names of text curves, such as text-english_g2."""


@dataclass
class Measuring:
    """Readings of one data set by one recognizer, as they arrive."""

    recognizer: FrozenRecognizer
    val: TextImages
    test: TextImages
    readings: dict[tuple[str, str, str], list[Reading]] = field(
        default_factory=dict[tuple[str, str, str], list[Reading]]
    )
    """By split, curve and setting."""

    def __post_init__(self) -> None:
        self.reader = ReadOnce(self.recognizer)

    def point(self, codec: Baseline, split: str, images: int) -> Point:
        """A setting on the first images of a split, of which only those that are new are measured."""
        data = self.test if split == "test" else self.val
        found = self.readings.setdefault((split, codec.name, codec.setting), [])
        if len(found) < min(images, len(data.texts)):
            found += measure(codec, data, len(found), images, self.reader)
        return point(codec.name, codec.setting, found, self._pixels)

    def rates(self, codec: Baseline) -> Rates:
        """Rates of a setting by the files of a few validation images."""
        files, repeated, _ = encode(codec, self.val.images[:WEIGHED])
        scale = 8 / (len(files) * self._pixels)
        whole = sum(map(len, files))
        return {"whole": scale * whole, "own": scale * (whole - sum(repeated))}

    def uncompressed(self, images: int) -> float:
        """Accuracy of the first validation images as they are."""
        truths = map(self.recognizer.as_read, self.val.texts[:images])
        return mean_accuracy(self.reader.read(self.val.images[:images]), truths)

    def frame(self) -> pl.DataFrame:
        """All readings, as they are kept."""
        rows = [(*key, *reading) for key, found in self.readings.items() for reading in found]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    @property
    def _pixels(self) -> int:
        return self.val.images.shape[1] * self.val.images.shape[2]


def run(measuring: Measuring, settings: Sequence[Baseline]) -> None:
    """Measures on the test images what may be on the envelope, as the validation images tell."""
    explored = choosing.explore(
        settings,
        measuring.rates,
        lambda codec: measuring.point(codec, "val", EXPLORED),
        measuring.uncompressed(EXPLORED),
    )
    by_point = {(codec.name, codec.setting): codec for codec, _ in explored}
    left = choosing.promising(
        [found for _, found in explored], measuring.uncompressed(EXPLORED), slack=choosing.SLACK, step=EXPLORED_STEP
    )
    validated = [measuring.point(by_point[each.name, each.setting], "val", CHOSEN_BY) for each in left]
    chosen = choosing.promising(validated, measuring.uncompressed(CHOSEN_BY), slack=CHOSEN_SLACK, step=CHOSEN_STEP)
    for each in chosen:
        measuring.point(by_point[each.name, each.setting], "test", len(measuring.test.texts))
    logger.info(
        "baselines: %d settings, %d explored, %d validated, %d tested; %d images read",
        *(len(each) for each in (settings, explored, left, chosen)),
        measuring.reader.images_read,
    )


def run_texts(measuring: Measuring, name: str, held_out: Mapping[str, Reader], training_texts: Sequence[str]) -> None:
    """Measures the text itself: by the recognizer, called `name`, and by other readers that are installed.

    Args:
        training_texts: those whose characters tell how texts are coded; none of the test split.
    """
    coder = TextCoder(training_texts)
    texts = measure_text(
        coder, lambda image: measuring.reader.read(image[None])[0], measuring.test, measuring.recognizer.as_read
    )
    measuring.readings["test", f"{TEXT}-{name}", "as read"] = texts
    for other, reader in held_out.items():
        found = measure_text(coder, reader.read, measuring.test)
        measuring.readings["test", f"{TEXT}-{other}", "as read"] = found


def measured(
    folder: Path, recognizer: FrozenRecognizer, identity: str, held_out: Mapping[str, Reader], kept: Path | None = None
) -> pl.DataFrame:
    """All readings of a data set's baselines, with the columns of `SCHEMA`; from a file that an earlier sweep left.

    Args:
        folder: a finished data set.
        identity: the recognizer's, as `registry.identity` gives it.
        held_out: other readers that are installed, for the text itself.
        kept: folder in which the readings are kept; None: the data set's.

    Raises:
        DataError: the data set cannot be read.
    """
    settings = baselines()
    path = cache.path(kept or folder, shards.digest(folder) or "", identity, settings, [*held_out])
    found = cache.load(path)
    if found is None:
        val, test = (dataset.load(folder, split) for split in ("val", "test"))
        measuring = Measuring(recognizer, val, test)
        run(measuring, settings)
        texts = shards.read(folder, "train", ("text",))["text"].to_list()
        run_texts(measuring, identity.partition("@")[0], held_out, texts)
        found = measuring.frame()
        cache.save(found, path)
    return found
