"""One point of a sweep: train its codec, write real files, read them back."""

import copy
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import torch

from datagen.dataset import TextImages
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from models.recognizers.base import FrozenRecognizer
from models.recognizers.ensemble import RecognizerConfig
from sweep.config import SweepConfig
from sweep.errors import DivergedError
from sweep.results.point import Point, ValidationMetrics
from sweep.search.early_stopping import rungs
from sweep.stages import nodes, strategies
from sweep.stages.nodes import NodeStore
from sweep.stages.train import train_node
from sweep.stages.tree import Node
from sweep.training.loop import CHECK_STEPS, Progress
from sweep.trials.evaluate import evaluate, evaluate_uncompressed, validate
from sweep.trials.target import Target

RUNG_IMAGES = 96
"""Images of the validation split on which a trial is measured at a rung: few, for a GPU idles meanwhile."""


class Data(NamedTuple):
    """The decoded splits that a point needs."""

    train: TextImages
    val: TextImages
    test: TextImages


class Rung(NamedTuple):
    """What a point under way has reached at a look, measured on validation images."""

    number: int
    """1 or 2: the first rung or the second."""
    steps: int
    """Steps of the last stage where the rung lies; the point is measured at the first check there or after."""
    reached: ValidationMetrics
    train_seconds: float


def run(
    target: Target,
    config: SweepConfig,
    store: NodeStore,
    data: Data,
    report: Callable[[Progress], None],
    pass_rung: Callable[[Rung], None] = lambda rung: None,
) -> Point:
    """Trains and measures one point.

    Args:
        store: the run's.
        report: called while it trains.
        pass_rung: called at each rung of a stage 2 that is the point's own; does not return where it is to stop.

    A point whose training diverges returns with status `failed` and a `reason`.
    """
    torch.set_num_threads(config.resources.cpus_per_trial)
    reader, identity, node = recognizer(config.recognizers), target.identity(config), target.node(config)
    if node is None:
        return Point(identity=identity, status="complete", test=evaluate_uncompressed(reader, data.test))
    started = time.perf_counter()
    try:
        trained = _train(node, store, config, data, reader, report, pass_rung)
    except DivergedError as error:
        return Point(identity=identity, status="failed", reason=str(error))
    return Point(
        identity=identity,
        status="complete",
        train_seconds=time.perf_counter() - started,
        test=evaluate(trained, reader, data.test),
        val=validate(trained, reader, data.val),
        checkpoint=nodes.file(node.key),
        reason=store.mishaps(node) or None,
    )


def _train(
    node: Node,
    store: NodeStore,
    config: SweepConfig,
    data: Data,
    reader: FrozenRecognizer,
    report: Callable[[Progress], None],
    pass_rung: Callable[[Rung], None],
) -> TrainedCodec:
    started = time.perf_counter()
    ahead = rungs(node.stage.steps) if stops_early(node, config) else []
    few = TextImages(data.val.images[:RUNG_IMAGES], data.val.texts[:RUNG_IMAGES])

    def measurable(codec: Codec) -> TrainedCodec:
        return TrainedCodec(codec.cpu(), config.codec, config.recognizer_identity, {}, config.canvas)

    with on_device(reader, gpu=config.resources.gpus_per_trial > 0) as device:

        def look(codec: Codec, steps: int) -> None:
            seen = validate(measurable(codec), reader, few, device)
            pass_rung(Rung(ahead.index(steps) + 1, steps, seen, time.perf_counter() - started))

        codec = train_node(node, store, data.train, reader, device, report, watch=_Rungs(ahead, look))
    assert isinstance(codec, Codec), "a point's codec is a plain one"
    return measurable(codec)


def stops_early(node: Node, config: SweepConfig) -> bool:
    """Whether the training of a point is looked at on the way, and may be stopped."""
    return config.search.early_stopping and strategies.of(config).stops_early and node.recognizer is not None


class _Rungs:
    """Calls `look` with a codec that is ready to write files, whenever a plain codec in training has passed a rung."""

    def __init__(self, ahead: list[int], look: Callable[[Codec, int], None]) -> None:
        self._ahead = ahead
        self._look = look
        self._before: int | None = None

    def __call__(self, progress: Progress, codec: Codec | ConditionedCodec) -> None:
        # A training that goes on after an interruption has passed its first rungs already.
        before = max(0, progress.step - CHECK_STEPS) if self._before is None else self._before
        self._before = progress.step
        passed = [step for step in self._ahead if before < step <= progress.step < progress.steps]
        if passed and isinstance(codec, Codec):
            # What writes files is a copy: coding tables, computed in float64, would move the weights that train.
            ready = copy.deepcopy(codec).cpu().eval()
            ready.update_tables()
            self._look(ready, passed[-1])


@contextmanager
def on_device(recognizer: FrozenRecognizer, gpu: bool) -> Generator[torch.device]:
    """The device for training, the GPU of this worker if it was given one; the recognizer is there during the block.

    Measuring runs on the CPU, always.
    """
    # A visible GPU may be another's: Ray hides none from those that asked for none.
    device = torch.device("cuda" if gpu and torch.cuda.is_available() else "cpu")
    recognizer.to(device)
    try:
        yield device
    finally:
        recognizer.cpu()


@cache
def recognizer(wanted: tuple[RecognizerConfig, ...]) -> FrozenRecognizer:
    """The recognizer of a sweep, loaded once in each worker for all trials."""
    return ensemble.load(wanted)
