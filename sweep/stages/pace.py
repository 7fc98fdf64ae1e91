"""How long a step of a node's training takes, by training fresh weights that nobody keeps."""

from contextlib import suppress
from dataclasses import replace

import torch

from datagen import dataset
from datagen.dataset import TextImages
from models.recognizers.base import FrozenRecognizer
from sweep.errors import Interrupted
from sweep.stages.tree import Node
from sweep.training.checkpoint import TrainingState
from sweep.training.loop import Progress, train_stage
from sweep.training.objectives import objective_of
from sweep.training.team import ALONE, Team

ENDLESS = 1_000_000_000
"""Steps of a training that the stopwatch ends; the learning rate does not leave its first rise."""
LOOKS = 3
"""Reports of progress that are waited for at least; until the first one, everything runs for the first time."""


class Stopwatch:
    """A checkpointer that keeps no state, and ends a training that has been timed for long enough."""

    def __init__(self, seconds: float) -> None:
        """Ends it so many seconds after the first report, and not before the third."""
        self._seconds = seconds
        self._looks: list[Progress] = []

    @property
    def step_seconds(self) -> float:
        """Mean time of a step after the first report."""
        first, last = self._looks[0], self._looks[-1]
        return (last.seconds - first.seconds) / (last.step - first.step)

    def look(self, progress: Progress) -> None:
        """Notes the time; to be given as a training's report."""
        self._looks.append(progress)

    def stop_requested(self) -> bool:
        """Whether it has been timed for long enough."""
        enough = len(self._looks) >= LOOKS
        return enough and self._looks[-1].seconds - self._looks[0].seconds >= self._seconds

    def restore(self) -> TrainingState | None:
        """Nothing."""

    def due(self) -> bool:
        """Never."""
        return False

    def save(self, state: TrainingState) -> None:
        """Keeps nothing."""

    def drop_last(self) -> None:
        """Has nothing to forget."""


def step_seconds(
    node: Node,
    data: TextImages,
    recognizer: FrozenRecognizer,
    device: torch.device,
    seconds: float,
    team: Team = ALONE,
) -> float:
    """Seconds of a step of the node's training, the mean over the sizes at which the recognizer reads.

    Args:
        seconds: time that measuring takes; 30 steps at least are trained.
    """
    codec, watch = node.build().to(device), Stopwatch(seconds)
    reader, among = (recognizer, data.legible) if node.recognizer else (None, None)
    # As many steps as sizes: a size a step, one after the other.
    scales = len(node.stage.reading_scales)
    terms = objective_of(replace(node.stage, steps=scales), node.plane, reader)
    with suppress(Interrupted):
        train_stage(
            codec,
            lambda network, batch, step: terms(network, batch, step % scales),
            lambda start: dataset.batches(data, node.stage.batch_size, node.seed, start, among, device),
            replace(node.stage, steps=ENDLESS),
            seed=node.seed,
            team=team,
            report=watch.look,
            checkpointer=watch,
        )
    return watch.step_seconds
