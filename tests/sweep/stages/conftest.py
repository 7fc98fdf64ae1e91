"""Sweeps of two steps a stage."""

from dataclasses import replace

import pytest

from datagen.spec import DatasetSpec
from sweep.config import StageConfig, SweepConfig
from sweep.presets import smoke


@pytest.fixture(scope="module")
def config(spec: DatasetSpec) -> SweepConfig:
    stage = StageConfig(steps=2, batch_size=2)
    stages_of_two_steps = {"stage1": stage, "stage2": replace(stage, distortion_weight=0.1)}
    return replace(smoke(), data=spec, strategy="shared", **stages_of_two_steps)


@pytest.fixture(scope="module")
def conditional(config: SweepConfig) -> SweepConfig:
    return replace(config, strategy="conditional")
