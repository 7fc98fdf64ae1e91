"""A run in Python: tables, front, codecs and images, each read when it is asked for."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from datagen import dataset
from datagen.dataset import TextImages
from datagen.spec import Split
from models.files.model import TrainedCodec
from sweep.config import SweepConfig
from sweep.results import choosing, export, points, readings
from sweep.results.folder import RunFolder


@dataclass(frozen=True)
class Run:
    """A finished or unfinished run."""

    folder: RunFolder

    @property
    def config(self) -> SweepConfig:
        """What the run was asked for."""
        return self.folder.config

    @cached_property
    def points(self) -> pl.DataFrame:
        """A row for each point, as docs/formats.md lists the columns.

        Raises:
            SweepError: no point is done yet, or the table cannot be read.
        """
        return points.read(self.folder.path)

    @cached_property
    def readings(self) -> pl.DataFrame:
        """A row for each point and test image: bytes, what was read, accuracy.

        Raises:
            SweepError: the table cannot be read.
        """
        return readings.read(self.folder.path)

    @property
    def front(self) -> pl.DataFrame:
        """The points of the front, by rising rate."""
        return self.points.filter("on_front").sort("bpp")

    def codec(self, point_id: str) -> TrainedCodec:
        """The codec of a complete point, named by an id or the beginning of one, as a model.

        Raises:
            SweepError: there is no such point, or several, or the codec is lost or another release's.
        """
        return export.trained(self.folder, choosing.named(self.points, point_id))

    def images(self, split: Split) -> TextImages:
        """The images and texts of the split `train`, `val` or `test`.

        Raises:
            DataError: they are not there, or damaged, or too many for this machine.
        """
        return dataset.load(self.folder.data, split)


def load(folder: Path) -> Run:
    """Opens a run's folder.

    Raises:
        SweepError: it holds no run.
    """
    return Run(RunFolder.load(folder))
