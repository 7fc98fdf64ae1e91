import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile
from sweep.config import StageConfig, SweepConfig, fixed, override, sectioned
from sweep.errors import SweepError
from sweep.names import PresetName
from sweep.presets import PRESETS, aimed, rate_weights
from sweep.results.folder import RunFolder
from sweep.stages.strategies import SHARED


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: PresetName) -> None:
    config = PRESETS[name]()
    assert TypeAdapter(SweepConfig).validate_json(json.dumps(asdict(config))) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_target_is_the_target_of_both_stages(name: PresetName) -> None:
    text, image = (aimed(PRESETS[name](), target) for target in ("text", "image"))
    assert [config.target for config in (text, image)] == ["text", "image"]
    for asked in (text.stage1, text.stage2):
        assert asked.distortion_weight == 0 < asked.text_weight
    assert image.stage1.distortion_weight > 0
    assert image.stage1.text_weight == image.stage2.text_weight == 0
    assert aimed(text, "image").stage1 == image.stage1


def test_files_of_weights_survive_json() -> None:
    weights = WeightsFile("trba.pth", "1" * 64)
    configs = (RecognizerConfig("english_g2", 0.5), RecognizerConfig("trba", source=weights))
    config = replace(PRESETS["smoke"](), recognizers=configs, init=weights)
    loaded = TypeAdapter(SweepConfig).validate_json(json.dumps(asdict(config)))
    assert loaded == config
    source = loaded.recognizers[1].source
    assert isinstance(source, WeightsFile)
    assert source.path == "trba.pth"


def test_a_users_recognizer_survives_json() -> None:
    recognizer_config = RecognizerConfig("mine:load", 2.0, Plugin("/home/me", "1" * 64))
    config = replace(PRESETS["smoke"](), recognizers=(recognizer_config,))
    loaded = TypeAdapter(SweepConfig).validate_json(json.dumps(asdict(config)))
    assert loaded == config
    assert loaded.recognizers[0].source is not None
    assert loaded.recognizer_identity == "mine:load@1111111111111111"


def test_a_configuration_from_before_there_were_several_is_read() -> None:
    content = asdict(PRESETS["smoke"]())
    del content["recognizers"]
    assert TypeAdapter(SweepConfig).validate_python(content | {"recognizer": "english_g2"}) == PRESETS["smoke"]()


def test_a_run_from_before_there_were_sections_is_read() -> None:
    """As `--preset smoke --strategy shared --budget 6 --max-bpp 0.5 --vary steps 30 120` and more wrote it then."""
    config = RunFolder.load(Path(__file__).parent / "flat").config
    asked = override(
        aimed(PRESETS["smoke"](), "image"),
        baselines="all",
        budget=6,
        max_bpp=0.5,
        vary=(("steps", 30.0, 120.0),),
        early_stopping=False,
    )
    asked = override(SHARED.split_budget(asked), data=config.data, gpus_per_trial=0.25, shares_gpus=False)
    assert config == asked
    assert config.data.digest() == "92753704c717272e"


def test_fields_are_lifted_into_sections_once() -> None:
    content = asdict(PRESETS["smoke"]())
    flat = {name: value for name, value in content.items() if name not in ("search", "resources")}
    assert sectioned(flat | content["search"] | content["resources"]) == sectioned(content) == content


def test_a_resumed_sweep_keeps_all_but_the_budget_and_the_resources() -> None:
    config = PRESETS["smoke"]()
    assert fixed(override(config, budget=9, cpus_per_trial=3, save_seconds=1.0)) == fixed(config)
    for change in ({"betas": (0.1, 0.2)}, {"seed": 1}, {"polish_steps": 1}, {"early_stopping": False}):
        assert fixed(override(config, **change)) == fixed(config) | change


def test_the_papers_second_stage_leaves_distortion_out() -> None:
    assert PRESETS["paper"]().stage2.distortion_weight == 0
    low, high = PRESETS["paper"]().search.betas
    assert low < 0.1 < high


def test_lambda_is_compressais_weight_turned_over() -> None:
    assert rate_weights(0.0018) == pytest.approx((8.5e-3,), rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": 0},
        {"codec": "nosuch"},
        {"recognizers": (RecognizerConfig("nosuch"),)},
        {"recognizers": (RecognizerConfig("trba"),)},
        {"recognizers": (RecognizerConfig("english_g2", source=WeightsFile("trba.pth", "1" * 64)),)},
        {"recognizers": ()},
        {"lambdas": ()},
        {"lambdas": (0.1, 0.2)},
        {"lambdas": (0.1, -0.2)},
        {"betas": (0.0, 1.0)},
        {"betas": (1.0, 0.1)},
        {"lambdas": (math.inf, 0.1)},
        {"lambdas": (math.nan,)},
        {"val_images": 0},
        {"cpus_per_trial": 0},
        {"gpus_per_trial": math.nan},
        {"save_seconds": math.nan},
        {"report_seconds": -1.0},
        {"seed": -1},
    ],
)
def test_an_impossible_sweep_is_refused(change: dict) -> None:
    with pytest.raises(SweepError):
        override(PRESETS["smoke"](), **change)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", -1),
        ("batch_size", 0),
        ("learning_rate", math.nan),
        ("learning_rate", 0.0),
        ("distortion_weight", math.inf),
        ("rate_weight", math.nan),
        ("ocr_weight", -1.0),
        ("legibility", 70.0),
        ("legibility", math.nan),
        ("clip_norm", math.nan),
        ("reading_scales", (math.nan,)),
        ("reading_scales", ()),
    ],
)
def test_an_impossible_stage_is_refused(field: str, value: float) -> None:
    with pytest.raises(SweepError, match=field):
        StageConfig(**{"steps": 1, field: value})
