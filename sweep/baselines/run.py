"""All baselines on a data set: explored on a few validation images, chosen on all, measured on the test images."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import polars as pl

from datagen.dataset import TextImages
from models.baselines.base import Baseline
from models.baselines.text import TextCoder
from models.metrics import mean_accuracy
from models.recognizers.held_out import Reader
from sweep.baselines import choosing
from sweep.baselines.choosing import Rates
from sweep.baselines.measuring import ReadOnce, encode, measure, measure_text
from sweep.baselines.points import SCHEMA, TEXT, Point, Reading, point

logger = logging.getLogger(__name__)
WEIGHED, EXPLORED = 8, 24
"""Validation images whose files tell a setting's rate, and that explore the settings."""
EXPLORED_STEP, CHOSEN_STEP = 1.05, 1.12
"""Ratio of the rates of neighboring settings that go from exploring to choosing, and from choosing to the test."""
CHOSEN_SLACK = 0.02
"""How far below the envelope a setting may read on the images that choose."""
AS_READ = "as read"
"""The setting of a text curve."""


class Job(NamedTuple):
    """Images to write as files of a setting, restore and read: from `start` to `end` of a split."""

    codec: Baseline
    split: Literal["val", "test"]
    start: int
    end: int


class Explored(NamedTuple):
    """What a few validation images tell."""

    found: list[tuple[Baseline, list[Reading]]]
    """Settings that may be on the envelope, and what was read in them."""
    uncompressed: float
    """Accuracy of the images as they are."""


Measure = Callable[[Sequence[Job]], Iterable[tuple[Job, list[Reading]]]]
"""Does jobs, in any order, and gives back what was read in each."""


def explore(settings: Sequence[Baseline], val: TextImages, reader: ReadOnce) -> Explored:
    """Reads the first validation images at those settings that may be on the envelope; one after the other."""
    few = TextImages(val.images[:EXPLORED], val.texts[:EXPLORED])
    found = list[tuple[Baseline, list[Reading]]]()

    def look(codec: Baseline) -> Point:
        found.append((codec, measure(codec, few, 0, len(few.texts), reader)))
        return _point(*found[-1], pixels(val))

    said = (each.text for each in reader.read(few.images))
    uncompressed = mean_accuracy(said, map(reader.as_read, few.texts))
    choosing.explore(settings, lambda codec: _rates(codec, few), look, uncompressed)
    return Explored(found, uncompressed)


def measured(explored: Explored, val: TextImages, test: TextImages, measure: Measure) -> pl.DataFrame:
    """Readings on both splits of what may be on the envelope, as the validation images tell; columns as `SCHEMA`."""
    found, size = dict(explored.found), pixels(val)

    def left(slack: float, step: float) -> list[Baseline]:
        seen = {_point(codec, readings, size): codec for codec, readings in found.items()}
        return [seen[each] for each in choosing.promising([*seen], explored.uncompressed, slack=slack, step=step)]

    validated = left(choosing.SLACK, EXPLORED_STEP)
    found = {codec: found[codec] for codec in validated}
    looked, count = min(EXPLORED, len(val.texts)), len(val.texts)
    if looked < count:
        for job, readings in measure([Job(codec, "val", looked, count) for codec in validated]):
            found[job.codec] = found[job.codec] + readings
    chosen = left(CHOSEN_SLACK, CHOSEN_STEP)
    tested = {job.codec: done for job, done in measure([Job(codec, "test", 0, len(test.texts)) for codec in chosen])}
    stages = len(explored.found), len(validated), len(chosen)
    logger.info("baselines: %d settings explored, %d validated, %d tested", *stages)
    tables = [
        table(split, codec.name, codec.setting, readings[codec])
        for codec in chosen
        for split, readings in (("val", found), ("test", tested))
    ]
    # A reader that reads nothing leaves nothing to choose.
    return pl.concat([SCHEMA.to_frame(), *tables])


def texts(
    name: str, test: TextImages, reader: ReadOnce, held_out: Mapping[str, Reader], training_texts: Sequence[str]
) -> pl.DataFrame:
    """The text itself, read on the device by the recognizer, called `name`, and by other readers, and compressed.

    Args:
        training_texts: those whose characters tell how texts are coded; none of the test split.
    """
    coder = TextCoder(training_texts)
    read = measure_text(coder, lambda image: reader.read(image[None])[0], test, reader.as_read)
    others = {other: measure_text(coder, engine.read, test) for other, engine in held_out.items()}
    return pl.concat(table("test", TEXT + each, AS_READ, done) for each, done in {name: read, **others}.items())


def table(split: str, name: str, setting: str, readings: Iterable[Reading]) -> pl.DataFrame:
    """Readings of a setting, with the columns of `SCHEMA`."""
    return pl.DataFrame([(split, name, setting, *reading) for reading in readings], schema=SCHEMA, orient="row")


def pixels(images: TextImages) -> int:
    """Pixels of an image."""
    return images.images.shape[1] * images.images.shape[2]


def _point(codec: Baseline, readings: list[Reading], size: int) -> Point:
    return point(codec.name, codec.setting, readings, size)


def _rates(codec: Baseline, images: TextImages) -> Rates:
    """Rates of a setting by the files of a few images."""
    files, repeated, _ = encode(codec, images.images[:WEIGHED])
    scale = 8 / (len(files) * pixels(images))
    whole = sum(map(len, files))
    return {"whole": scale * whole, "own": scale * (whole - sum(repeated))}
