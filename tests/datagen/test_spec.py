import json
from dataclasses import asdict, replace

import pytest
from pydantic import TypeAdapter

from datagen.errors import SpecError
from datagen.spec import PRESETS, DatasetSpec


def test_the_paper_trains_on_20_000_and_tests_on_600_images() -> None:
    paper = PRESETS["paper"]()
    assert (paper.train, paper.test, paper.width, paper.height) == (20_000, 600, 256, 64)


def test_a_specification_survives_json() -> None:
    spec = DatasetSpec(train=7, text_scale=(0.5, 0.9))
    assert TypeAdapter(DatasetSpec).validate_json(json.dumps(asdict(spec))) == spec


def test_every_field_is_part_of_the_digest() -> None:
    spec = DatasetSpec()
    assert replace(spec, blur=2.0).digest() != spec.digest() != replace(spec, seed=1).digest()
    assert DatasetSpec().digest() == spec.digest()


@pytest.mark.parametrize(
    "fields",
    [
        {"train": 0},
        {"shard": 0},
        {"height": 4},
        {"backgrounds": ()},
        {"word_length": (5, 3)},
        {"text_scale": (0.5, 1.5)},
    ],
)
def test_an_impossible_specification_is_refused(fields: dict) -> None:
    with pytest.raises(SpecError):
        DatasetSpec(**fields)
