import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from datagen.errors import SpecError
from datagen.lines import Look, Texts
from datagen.own_files import rooted, sealed
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
        {"look": {"noise_level": (-1.0, 5.0)}},
        {"look": {"outline_width": (2, 1)}},
        {"look": {"spacing": (-0.5, 0.0)}},
        {"look": {"space": (float("nan"), 1.0)}},
        {"look": {"perspective": 1.5}},
        {"look": {"blur": -0.1}},
        {"look": {"skew": float("inf")}},
        {"look": {"margin": -1}},
        {"texts": {"length": (5, 3)}},
        {"texts": {"pool": ()}},
        {"texts": {"characters": "-"}},
    ],
)
def test_an_impossible_specification_is_refused(fields: dict) -> None:
    parts = {"look": Look, "texts": Texts}
    with pytest.raises(SpecError):
        DatasetSpec(**{name: parts[name](**value) if name in parts else value for name, value in fields.items()})


def test_other_contents_of_a_users_files_are_another_data_set(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("one")
    spec = DatasetSpec(texts=Texts(file=str(file)))
    first = sealed(spec)
    assert sealed(first) == first
    file.write_text("two")
    assert sealed(first).digest() != first.digest()
    with pytest.raises(SpecError, match="does not exist"):
        sealed(replace(spec, fonts=str(tmp_path / "none")))


def test_what_is_drawn_alone_is_sealed(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.ttf"):
        (tmp_path / name).write_bytes(name.encode())
    spec = DatasetSpec(fonts=str(tmp_path), photos=str(tmp_path))
    first = sealed(spec)
    assert first.contents == hashlib.sha256(b"b.ttf" * 2 + b"a.jpg" * 2).hexdigest()
    (tmp_path / ".DS_Store").write_bytes(b"a desktop's")
    assert sealed(spec) == first
    (tmp_path / "c.PNG").write_bytes(b"another photo")
    assert sealed(spec) != first


def test_paths_are_told_from_the_root_and_nothing_else_changes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert rooted(DatasetSpec()).digest() == DatasetSpec().digest()
    own = rooted(DatasetSpec(texts=Texts(file="lines.txt"), fonts="fonts", photos="/photos"))
    assert (own.texts.file, own.fonts, own.photos) == (f"{tmp_path}/lines.txt", f"{tmp_path}/fonts", "/photos")


def test_the_presets_digests_stay() -> None:
    digests = {name: preset().digest() for name, preset in PRESETS.items()}
    assert digests == {"paper": "4d2abe7575a09172", "cpu": "c9a3a321f6cff3ef", "smoke": "c9d3c74210dba37a"}
