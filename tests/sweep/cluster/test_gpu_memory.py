"""What a training takes of a GPU, against what an H200 measured."""

from dataclasses import replace

import pytest

from models.recognizers.ctc_attention import CtcRecognizer
from sweep.cluster import gpu_memory
from sweep.config import StageConfig
from sweep.presets import paper

GIB = 2**30


@pytest.mark.parametrize(
    ("codec", "batch_size", "measured"),
    [("mbt2018-mean", 16, 1.8), ("mbt2018-mean", 64, 3.2), ("mbt2018-mean", 256, 8.3), ("tinylic", 16, 4.3)],
)
def test_the_estimate_of_a_gpus_memory_is_an_upper_bound_and_no_wild_one(
    recognizer: CtcRecognizer, codec: str, batch_size: int, measured: float
) -> None:
    stage = StageConfig(steps=1, batch_size=batch_size)
    bound = gpu_memory.training(codec, stage, recognizer, (64, 256)) / GIB
    assert measured < bound < 2.5 * measured


@pytest.mark.parametrize(("gib", "trials"), [(0, 1), (3, 1), (8, 2), (80, gpu_memory.TOGETHER)])
def test_as_many_trials_as_have_room(gib: int, trials: int) -> None:
    assert gpu_memory.trials(paper(), gib * GIB) == trials


def test_images_take_room_too() -> None:
    config = paper()
    larger = replace(config, data=replace(config.data, train=10 * config.data.train))
    assert gpu_memory.trials(larger, 8 * GIB) == 1
