import json
import shutil
from pathlib import Path

import pytest

from datagen import dataset
from datagen.dataset import TextImages
from models.frozen import CtcRecognizer
from models.teachers import Teacher
from sweep import legibility
from sweep.evaluate import evaluate_uncompressed
from sweep.legibility import Reading


def test_fonts_and_backgrounds_have_their_accuracy(
    data_folder: Path, recognizer: CtcRecognizer, tmp_path: Path
) -> None:
    folder = shutil.copytree(data_folder, tmp_path / "data")
    path = legibility.ensure(folder, tmp_path, Teacher("english_g2"))
    assert path.parent == folder
    said = json.loads(path.read_text())
    whole = evaluate_uncompressed(recognizer, dataset.load(folder, "test")).accuracy
    for groups in said.values():
        images = sum(group["images"] for group in groups.values())
        assert images == 12
        mean = sum(group["images"] * group["accuracy"] for group in groups.values()) / images
        assert mean == pytest.approx(whole, abs=1e-3)
        assert list(groups.values()) == sorted(groups.values(), key=lambda group: group["accuracy"])
    written = path.stat().st_mtime_ns
    assert legibility.ensure(folder, tmp_path, Teacher("english_g2")).stat().st_mtime_ns == written


def test_an_image_without_a_text_counts_as_read(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    images = TextImages(test_images.images[:2], ["", "nothing of the kind"])
    first, second = legibility.measure(images, recognizer)
    assert first.text
    assert (first.accuracy, second.accuracy < 0.7) == (1.0, True)


def test_readings_are_measured_once_for_each_recognizer(tmp_path: Path) -> None:
    measured = [Reading("a", 1.0), Reading("", 0.25)]
    for name in ("english_g2", "ppocr"):
        assert legibility.readings(tmp_path, tmp_path, Teacher(name), lambda: measured) == measured
    assert legibility.readings(tmp_path, tmp_path, Teacher("ppocr"), list) == measured
    assert len(list(tmp_path.iterdir())) == 2


def test_what_nobody_may_write_beside_the_images_is_kept_in_the_runs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legibility.os, "access", lambda path, mode: False)
    data, run = tmp_path / "data", tmp_path / "run"
    run.mkdir()
    measured = [Reading("a", 1.0)]
    assert legibility.readings(data, run, Teacher("english_g2"), lambda: measured) == measured
    assert legibility.readings(data, run, Teacher("english_g2"), list) == measured
    assert not data.exists()
