import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from datagen.dataset import TextImages
from models.errors import WeightsError
from models.files import tfic
from models.files.model import RateDial, TrainedCodec, load_model

MAKE = r"python -m sweep\.pick RUN --max-bpp 0\.1 --out model\.pt$"


def test_a_model_file_gives_the_same_codec(trained: TrainedCodec, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    trained.save(path)
    loaded = load_model(path)
    assert loaded.fingerprint == trained.fingerprint
    assert isinstance(loaded, TrainedCodec)
    assert (loaded.codec_name, loaded.recognizer_name, loaded.facts) == ("small", "english_g2", {"bpp": 0.5})
    image = torch.rand(1, 3, 64, 64)
    assert loaded.codec.compress(image) == trained.codec.compress(image)
    assert list(tmp_path.iterdir()) == [path]


def test_a_dials_file_gives_the_same_files(dial: RateDial, test_images: TextImages, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    dial.save(path)
    loaded = load_model(path)
    assert isinstance(loaded, RateDial)
    assert (loaded.path, loaded.facts, loaded.fingerprint) == (dial.path, dial.facts, dial.fingerprint)
    image = test_images.images[0]
    assert tfic.encode(loaded, image, 70) == tfic.encode(dial, image, 70)


def test_a_halved_dial_takes_half_the_room_and_its_file_is_the_same_each_time(dial: RateDial, tmp_path: Path) -> None:
    halved = replace(dial, network=copy.deepcopy(dial.network)).halved()
    first, second, whole = (tmp_path / name for name in ("first.pt", "second.pt", "whole.pt"))
    halved.save(first)
    halved.save(second)
    dial.save(whole)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 0.6 * whole.stat().st_size
    assert load_model(first).fingerprint == halved.fingerprint != dial.fingerprint


def test_a_dial_passes_through_its_stops_and_evenly_between_them(dial: RateDial) -> None:
    assert dial.weights(0) == pytest.approx(dial.path[0])
    assert dial.weights(100) == pytest.approx(dial.path[1])
    assert dial.weights(50).rate_weight == pytest.approx((0.2 * 0.01) ** 0.5)


def test_changed_weights_are_noticed(trained: TrainedCodec, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    trained.save(path)
    content = torch.load(path, weights_only=True)
    next(iter(content["state_dict"].values())).view(-1)[0] += 1
    torch.save(content, path)
    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\3\4 half a zip", b"the text", b"bpp,accuracy\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.pt cannot be read as an exported codec"):
        load_model(path)


def test_a_model_without_its_fingerprint_is_refused(trained: TrainedCodec, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    trained.save(path)
    content = torch.load(path, weights_only=True)
    for change in ({}, {"fingerprint": "", "state_dict": {1: torch.zeros(1)}}):
        torch.save({key: value for key, value in content.items() if key != "fingerprint"} | change, path)
        with pytest.raises(WeightsError, match="cannot be read as an exported codec"):
            load_model(path)


def test_a_checkpoint_without_description_is_refused(trained: TrainedCodec, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    for content in (trained.codec.state_dict(), {1: torch.zeros(1)}):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=f"no exported codec; make one with {MAKE}"):
            load_model(path)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"does not exist; make one with {MAKE}"):
        load_model(tmp_path / "none.pt")
