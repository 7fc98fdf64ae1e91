import json
from dataclasses import asdict, replace

import pytest
from pydantic import TypeAdapter

from datagen.errors import SpecError
from datagen.lines import Look, Texts
from datagen.scenes import RECEIPT, RELEASE
from datagen.spec import PRESETS, DatasetSpec


def test_the_paper_trains_on_20_000_and_tests_on_600_images() -> None:
    paper = PRESETS["paper"]()
    assert (paper.train, paper.test, paper.width, paper.height) == (20_000, 600, 256, 64)


def test_a_specification_survives_json() -> None:
    spec = DatasetSpec(train=7, look=Look(size=(0.5, 0.9)), texts=Texts(words=(1, 3)), shared=("fonts",))
    assert TypeAdapter(DatasetSpec).validate_json(json.dumps(asdict(spec))) == spec


def test_every_field_is_part_of_the_digest() -> None:
    spec = DatasetSpec()
    assert replace(spec, look=Look(blur=2.0)).digest() != spec.digest() != replace(spec, seed=1).digest()
    assert DatasetSpec().digest() == spec.digest()
    assert replace(spec, look=Look(skew=4)).digest() == spec.digest()


def test_a_field_that_was_added_counts_once_it_is_used() -> None:
    spec = DatasetSpec()
    changes = [{"more_fonts": "fonts"}, {"scenes": RELEASE}, {"texts": Texts(amounts=0.1)}, {"look": Look(worn=0.1)}]
    digests = {replace(spec, **change).digest() for change in changes}
    assert len(digests | {spec.digest()}) == 5


def test_scenes_survive_json() -> None:
    release = PRESETS["release"]()
    assert TypeAdapter(DatasetSpec).validate_json(json.dumps(asdict(release))) == release


def test_a_scene_keeps_what_it_does_not_name() -> None:
    spec = DatasetSpec(texts=Texts(language="fr", characters="abcdefé 0123456789"), scenes=RELEASE)
    of = spec.within(RECEIPT)
    assert (of.look, of.backgrounds, of.texts.words) == (RECEIPT.look, RECEIPT.backgrounds, RECEIPT.words)
    assert (of.texts.language, of.texts.characters) == ("fr", spec.texts.characters)
    assert of.scenes == spec.within(None).scenes == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"train": 0},
        {"shard": 0},
        {"height": 4},
        {"backgrounds": ()},
        {"look": {"margin": 30}},
        {"look": {"size": (0.5, 1.5)}},
        {"width": 100},
        {"height": 32},
        {"look": {"noise": 2.0}},
        {"look": {"glare": -0.1}},
        {"look": {"x_height": (0.0, 5.0)}},
        {"look": {"motion_length": (5.0, 2.0)}},
        {"texts": {"amounts": 1.5}},
        {"scenes": (*RELEASE, RECEIPT, RECEIPT)},
        {"width": 64, "texts": {"length": (3, 12)}, "scenes": (replace(RECEIPT, look=Look(margin=25)),)},
        {"look": {"noise_level": (-1.0, 5.0)}},
        {"look": {"outline_width": (2, 1)}},
        {"look": {"spacing": (-0.5, 0.0)}},
        {"look": {"space": (float("nan"), 1.0)}},
        {"look": {"perspective": 1.5}},
        {"look": {"blur": -0.1}},
        {"look": {"skew": float("inf")}},
        {"look": {"margin": -1}},
        {"texts": {"length": (5, 3)}},
        {"texts": {"length": (5, 30)}, "width": 64},
        {"texts": {"pool": ()}},
        {"texts": {"characters": "-"}},
        {"texts": {"characters": "ab", "words": (1, 2)}},
    ],
)
def test_an_impossible_specification_is_refused(fields: dict) -> None:
    parts = {"look": Look, "texts": Texts}
    with pytest.raises(SpecError):
        DatasetSpec(**{name: parts[name](**value) if name in parts else value for name, value in fields.items()})


def test_the_presets_digests_stay() -> None:
    digests = {name: preset().digest() for name, preset in PRESETS.items()}
    assert digests == {
        "paper": "227a9182f0e74b68",
        "cpu": "6f2c5780e25fbd9f",
        "smoke": "92753704c717272e",
        "release": "5d55892241dba386",
    }
