"""How long the parts of a trial take in a worker, by a throwaway codec."""

import time
from typing import NamedTuple

import torch

from models.codecs import registry as codecs
from models.files.model import TrainedCodec
from sweep.config import SweepConfig
from sweep.stages.pace import step_seconds
from sweep.stages.tree import Node
from sweep.trials import rereading, trial
from sweep.trials.evaluate import evaluate, validate
from sweep.trials.trial import Data


class TrialPace(NamedTuple):
    """Seconds that the parts of a trial take."""

    steps: list[float]
    """A step of each of the trial's own trainings."""
    point: float
    """Measuring it on the validation and the test images."""
    reading: float
    """Its reading by held-out readers."""
    total: float
    """Finding all of this out."""


def measured(config: SweepConfig, nodes: list[Node], readers: list[str], data: Data, seconds: float) -> TrialPace:
    """The pace of a trial in this process.

    Args:
        nodes: what a trial trains itself.
        readers: names of the held-out readers.
        seconds: time in which steps of each node are measured.
    """
    began = time.perf_counter()
    torch.set_num_threads(config.resources.cpus_per_trial)
    reader = trial.recognizer(config.recognizers)
    with trial.on_device(reader, gpu=config.resources.gpus_per_trial > 0) as device:
        steps = [step_seconds(node, data.train, reader, device, seconds) for node in nodes]
    trained = TrainedCodec(
        codecs.build(config.codec).eval(), config.codec, config.recognizer_identity, {}, config.canvas
    )
    trained.codec.update_tables()
    started = time.perf_counter()
    evaluate(trained, reader, data.test)
    validate(trained, reader, data.val)
    point = time.perf_counter() - started
    reading = rereading.seconds(trained, readers, data.test) if readers else 0.0
    return TrialPace(steps, point, reading, time.perf_counter() - began)
