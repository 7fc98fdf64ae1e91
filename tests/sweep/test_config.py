import json
from dataclasses import asdict, replace

import pytest
from pydantic import TypeAdapter

from sweep.config import StageConfig, SweepConfig
from sweep.errors import SweepError
from sweep.presets import PRESETS, rate_weights


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = PRESETS[name]()
    assert TypeAdapter(SweepConfig).validate_json(json.dumps(asdict(config))) == config


def test_the_papers_second_stage_leaves_distortion_out() -> None:
    assert PRESETS["paper"]().stage2.distortion_weight == 0
    low, high = PRESETS["paper"]().betas
    assert low < 0.1 < high


def test_lambda_is_compressais_weight_turned_over() -> None:
    assert rate_weights(0.0018) == pytest.approx((8.5e-3,), rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": 0},
        {"codec": "nosuch"},
        {"recognizer": "nosuch"},
        {"lambdas": ()},
        {"lambdas": (0.1, 0.2)},
        {"lambdas": (0.1, -0.2)},
        {"betas": (0.0, 1.0)},
        {"betas": (1.0, 0.1)},
    ],
)
def test_an_impossible_sweep_is_refused(change: dict) -> None:
    with pytest.raises(SweepError):
        replace(PRESETS["smoke"](), **change)


def test_a_stage_needs_steps() -> None:
    with pytest.raises(SweepError, match="steps=-1"):
        StageConfig(steps=-1)
