"""All baselines on a data set: explored on a few validation images, chosen on more, measured on the test images."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from PIL import __version__ as pillow

from datagen.dataset import TextImages
from datagen.files import atomic
from models import sources
from models.baselines.base import Baseline
from models.baselines.text import TextCoder
from models.metrics import mean_accuracy
from models.recognizers.base import FrozenRecognizer
from models.recognizers.held_out import Reader
from sweep.baselines import choosing
from sweep.baselines.choosing import Rates
from sweep.baselines.measuring import ReadOnce, encode, measure, measure_text
from sweep.baselines.points import SCHEMA, Point, Reading, point

logger = logging.getLogger(__name__)
ROOT = Path(__file__).parents[2]
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
    readings: dict[tuple[str, str, str], list[Reading]] = field(default_factory=dict[tuple[str, str, str], list[Reading]])
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


def run(measuring: Measuring, baselines: Sequence[Baseline]) -> None:
    """Measures on the test images what may be on the envelope, as the validation images tell."""
    explored = choosing.explore(
        baselines,
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
        *(len(each) for each in (baselines, explored, left, chosen)),
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


def cache_file(folder: Path, data: str, recognizer: str, baselines: Sequence[Baseline], readers: Sequence[str]) -> Path:
    """Where the readings of a data set are kept: in `folder`, by all that decides of them.

    Args:
        data: the data set's digest.
        recognizer: its identity.
        readers: names of held-out readers.
    """
    files = [file for room in ("models/baselines", "sweep/baselines") for file in (ROOT / room).rglob("*.py")]
    settings = [(codec.name, codec.setting) for codec in baselines]
    parts = (data, recognizer, settings, sorted(readers), sources.checksum(files, ROOT), pillow)
    return folder / f"baselines-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.parquet"


def load(path: Path) -> pl.DataFrame | None:
    """Readings that are kept; None where there are none, or none that can be read."""
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        if path.exists():
            logger.warning("%s cannot be read (%s), and is measured again", path, error)
        return None
    return frame if frame.schema == SCHEMA else None


def save(frame: pl.DataFrame, path: Path) -> None:
    """Keeps readings for further sweeps on the data; a folder that cannot be written costs their repetition alone."""
    try:
        with atomic(path) as partial:
            frame.write_parquet(partial)
    except OSError as error:
        logger.warning("%s cannot be written (%s); the next sweep measures the baselines again", path, error.strerror)
