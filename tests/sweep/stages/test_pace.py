"""Steps that are timed and thrown away."""

import time
from dataclasses import replace

import pytest
import torch

from datagen.dataset import TextImages
from models.recognizers.ctc_attention import CtcRecognizer
from sweep.config import SweepConfig
from sweep.presets import smoke
from sweep.stages import tree
from sweep.stages.pace import LOOKS, Stopwatch, step_seconds
from sweep.training.loop import CHECK_STEPS, Progress

CPU = torch.device("cpu")


def seen(step: int, seconds: float) -> Progress:
    return Progress(step, 100, 0.0, 0.0, 0.0, None, 0.0, seconds)


def few(config: SweepConfig) -> SweepConfig:
    return replace(config, stage1=replace(config.stage1, batch_size=1), stage2=replace(config.stage2, batch_size=1))


def test_a_stopwatch_leaves_out_what_came_before_its_first_look() -> None:
    watch = Stopwatch(5.0)
    for step, seconds in ((10, 40.0), (20, 43.0), (30, 46.0)):
        assert not watch.stop_requested()
        watch.look(seen(step, seconds))
    assert watch.stop_requested()
    assert watch.step_seconds == pytest.approx(0.3)


def test_a_stopwatch_waits_for_three_looks_however_long_they_take() -> None:
    watch = Stopwatch(0.0)
    for number in range(1, LOOKS + 1):
        assert not watch.stop_requested()
        watch.look(seen(10 * number, 99.0 * number))
    assert watch.stop_requested()


@pytest.mark.slow
@pytest.mark.parametrize("of", [tree.conditioned1, tree.conditioned2])
def test_steps_are_timed_at_every_size_and_leave_no_trace(
    of, test_images: TextImages, recognizer: CtcRecognizer
) -> None:
    node, began = of(few(smoke())), time.perf_counter()
    found = step_seconds(node, test_images, recognizer, CPU, 0.1)
    assert 0 < found <= (time.perf_counter() - began) / (CHECK_STEPS * (LOOKS - 1))
