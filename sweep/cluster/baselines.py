"""What needs no training, measured by the workers of the cluster: baselines, and the text itself."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
import ray
import torch

from datagen import shards
from datagen.generate import Report
from datagen.machines import cores, shared_out
from models.baselines.registry import SETS
from models.recognizers import ensemble, held_out
from models.recognizers.ensemble import RecognizerConfig
from sweep.baselines import cache, points, run
from sweep.baselines.measuring import ReadOnce, measure
from sweep.baselines.points import Reading
from sweep.baselines.run import Explored, Job
from sweep.cluster import resources
from sweep.config import SweepConfig
from sweep.results.point import Point
from sweep.trials import trial
from sweep.trials.trial import Data

Ref = ray.ObjectRef[Data]


def measured(
    config: SweepConfig, folder: Path, data_folder: Path, data: Ref, report: Report, check: Callable[[], None]
) -> list[Point]:
    """The points of all that needs no training; what an earlier sweep on the data has read is not read again.

    Args:
        folder: keeps the readings.
        report: told how far the images are read.
        check: called now and then; may raise to end the measuring.

    Raises:
        SweepError: a worker failed.
    """
    settings = [(codec.name, codec.setting) for codec in SETS[config.baselines]()]
    readers, _ = held_out.opened([each.name for each in config.recognizers])
    reading = ensemble.reading(config.recognizer_identity)
    here = (shards.digest(data_folder), reading, config.labels, config.search.val_images)
    of_baselines = cache.path(folder, "baselines", *here, settings)
    of_texts = cache.path(folder, "texts", *here, sorted(readers))
    found = [
        cache.kept(of_baselines, lambda: _baselines(config, data, report, check)),
        cache.kept(of_texts, lambda: _texts(config, data_folder, data)),
    ]
    return points.rows(pl.concat(found), config.data.width * config.data.height, config.seed)


def _baselines(config: SweepConfig, data: Ref, report: Report, check: Callable[[], None]) -> pl.DataFrame:
    cpus = config.resources.cpus_per_trial
    explore, read = ray.remote(num_cpus=cpus)(_explore), ray.remote(num_cpus=cpus)(_read)

    def start(job: Job) -> ray.ObjectRef[list[Reading]]:
        return read.remote(job, config, data)

    def measure_all(jobs: Sequence[Job]) -> Iterator[tuple[Job, list[Reading]]]:
        tasks = shared_out(start, jobs, lambda: max(1, cores() // cpus))
        for count, (job, task) in enumerate(tasks, start=1):
            yield job, resources.results(task)
            report(count, len(jobs))
            check()

    here = ray.get(data)
    return run.measured(resources.results(explore.remote(config, data)), here.val, here.test, measure_all)


def _texts(config: SweepConfig, data_folder: Path, data: Ref) -> pl.DataFrame:
    read = ray.remote(num_cpus=config.resources.cpus_per_trial)(_read_texts)
    texts = shards.read(data_folder, "train", ("text",))["text"].drop_nulls()
    return resources.results(read.remote(config, texts.to_list(), data))


def _explore(config: SweepConfig, data: Data) -> Explored:
    return run.explore(SETS[config.baselines](), data.val, _reader(config))


def _read(job: Job, config: SweepConfig, data: Data) -> list[Reading]:
    images = data.val if job.split == "val" else data.test
    return measure(job.codec, images, job.start, job.end, _reader(config))


def _read_texts(config: SweepConfig, texts: list[str], data: Data) -> pl.DataFrame:
    reader = _reader(config)
    readers, _ = held_out.opened([each.name for each in config.recognizers])
    return run.texts(config.recognizers[0].label, data.test, reader, readers, texts)


def _reader(config: SweepConfig) -> ReadOnce:
    torch.set_num_threads(config.resources.cpus_per_trial)
    return _read_once(config.recognizers)


@functools.cache
def _read_once(wanted: tuple[RecognizerConfig, ...]) -> ReadOnce:
    """The recognizer of a sweep, which in each worker remembers what it has read."""
    return ReadOnce(trial.recognizer(wanted))
