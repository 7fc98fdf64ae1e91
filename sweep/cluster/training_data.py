"""The images that a sweep trains on and measures, with what they teach; Ray's workers read them as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import ray
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from datagen import dataset
from datagen.dataset import TextImages
from datagen.generate import Report
from datagen.machines import cores, shared_out
from models.metrics import alphanumeric
from sweep.cluster import resources
from sweep.config import SweepConfig
from sweep.errors import SweepError
from sweep.trials import cleaning, legibility, trial
from sweep.trials.legibility import Reading
from sweep.trials.trial import Data

Part = TypeVar("Part")
TOGETHER = 250
"""Images of a task."""


def data(config: SweepConfig, folder: Path, run: Path, report: Report = lambda done, total: None) -> Data:
    """The splits: of the training images those that can teach, of the others those whose texts have what counts.

    The validation images guide the search.

    Args:
        folder: of the data set.
        run: the run's folder.
        report: told how far the training images are read as they are.

    Raises:
        SweepError: none is left of a split.
    """
    train = _taught(dataset.load(folder, "train"), config, (folder, run), report)
    if config.target == "text" and train.ink is None:
        train = train._replace(ink=np.concatenate(_by_tasks(_ink, train, config, report)))
    val, test = (_completed(dataset.load(folder, split), config) for split in ("val", "test"))
    return Data(train, TextImages(val.images[: config.search.val_images], val.texts[: config.search.val_images]), test)


def labels(texts: list[str], found: list[Reading], config: SweepConfig) -> list[str]:
    """The texts; where one is missing what was read, as far as all recognizers know its characters."""
    if all(texts):
        return texts
    known = trial.recognizer(config.recognizers).known
    return [text or known(said.text) for text, said in zip(texts, found, strict=True)]


def alignable(texts: list[str], config: SweepConfig) -> list[bool]:
    """Whether each text can be read in an image of the sweep's data set, at the smallest size of stage 2."""
    size = config.data.height, config.data.width
    return trial.recognizer(config.recognizers).alignable(texts, *size, min(config.stage2.reading_scales))


def _taught(train: TextImages, config: SweepConfig, places: tuple[Path, Path], report: Report) -> TextImages:
    """The training images with the texts that are taught, and which of them stage 2 learns from."""
    pseudo, least = config.labels == "pseudo", config.stage2.legibility
    texts, legible = train.texts, np.ones(len(train.texts), bool)
    if pseudo or least or not all(texts):
        found = legibility.readings(*places, config.recognizers[0], lambda: _readings(train, config, report))
        texts = labels([""] * len(found) if pseudo else texts, found, config)
        legible = np.array([pseudo or said.accuracy >= least for said in found])
    teaching = np.flatnonzero(legible & np.array(list(map(bool, texts))) & alignable(texts, config))
    if not teaching.size:
        raise SweepError(f"{config.recognizers[0].name} reads no training image; check their texts")
    return train._replace(texts=texts, legible=teaching)


def _completed(images: TextImages, config: SweepConfig) -> TextImages:
    """The images, those without text with what the recognizer reads in them.

    One without a letter or digit is left out: whoever reads nothing there is always right.
    """
    texts = images.texts
    if not all(texts):
        texts = labels(texts, _readings(images, config, lambda done, total: None), config)
    counted = [index for index, text in enumerate(texts) if alphanumeric(text)]
    if not counted:
        raise SweepError("no text of the validation or test images has a letter or digit; import or render others")
    return TextImages(images.images[counted], [texts[index] for index in counted])


def _readings(images: TextImages, config: SweepConfig, report: Report) -> list[Reading]:
    """What the recognizer reads in the images."""
    return [reading for part in _by_tasks(_read, images, config, report) for reading in part]


def _by_tasks(
    measure: Callable[[TextImages, SweepConfig], Part], images: TextImages, config: SweepConfig, report: Report
) -> list[Part]:
    """What a function makes of the images, part by part, by as many tasks at a time as there are workers."""
    task = ray.remote(num_cpus=config.resources.cpus_per_trial)(measure)
    total = len(images.texts)
    parts = [slice(start, start + TOGETHER) for start in range(0, total, TOGETHER)]
    found: dict[int, Part] = {}

    def start(part: slice) -> ray.ObjectRef[Part]:
        return task.remote(TextImages(images.images[part], images.texts[part]), config)

    for part, result in shared_out(start, parts, lambda: max(1, cores() // config.resources.cpus_per_trial)):
        found[part.start] = resources.results(result)
        report(min(total, TOGETHER * len(found)), total)
    return [found[start] for start in sorted(found)]


def _read(images: TextImages, config: SweepConfig) -> list[Reading]:
    torch.set_num_threads(config.resources.cpus_per_trial)
    return legibility.measure(images, trial.recognizer(config.recognizers))


def _ink(images: TextImages, config: SweepConfig) -> UInt8[NDArray[Any], "n h w"]:
    torch.set_num_threads(config.resources.cpus_per_trial)
    return cleaning.ink(images.images)
