import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from datagen import dataset
from datagen.dataset import TextImages
from datagen.shards import Manifest
from models.recognizers.ctc_attention import CtcRecognizer
from models.recognizers.ensemble import RecognizerConfig
from sweep import versions
from sweep.trials import legibility
from sweep.trials.evaluate import evaluate_uncompressed
from sweep.trials.legibility import Reading


def test_fonts_and_backgrounds_have_their_accuracy(
    data_folder: Path, recognizer: CtcRecognizer, tmp_path: Path
) -> None:
    folder = shutil.copytree(data_folder, tmp_path / "data")
    path = legibility.ensure(folder, tmp_path, RecognizerConfig("english_g2"))
    assert path.parent == folder
    said = json.loads(path.read_text())
    whole = evaluate_uncompressed(recognizer, dataset.load(folder, "test")).accuracy
    for groups in said["found"].values():
        images = sum(group["images"] for group in groups.values())
        assert images == 12
        mean = sum(group["images"] * group["accuracy"] for group in groups.values()) / images
        assert mean == pytest.approx(whole, abs=1e-3)
        assert list(groups.values()) == sorted(groups.values(), key=lambda group: group["accuracy"])
    written = path.stat().st_mtime_ns
    assert legibility.ensure(folder, tmp_path, RecognizerConfig("english_g2")).stat().st_mtime_ns == written


def test_an_image_without_a_text_counts_as_read(recognizer: CtcRecognizer, test_images: TextImages) -> None:
    images = TextImages(test_images.images[:2], ["", "nothing of the kind"])
    first, second = legibility.measure(images, recognizer)
    assert first.text
    assert (first.accuracy, second.accuracy < 0.7) == (1.0, True)


@pytest.fixture
def folder(data_folder: Path, tmp_path: Path) -> Path:
    """A data set of one's own, which nobody has read yet."""
    return shutil.copytree(data_folder, tmp_path / "data", ignore=shutil.ignore_patterns("readings-*", "legibility-*"))


def kept(folder: Path, measured: list[Reading], name: str = "english_g2", run: Path | None = None) -> list[Reading]:
    """The readings that are kept, or else these."""
    return legibility.readings(folder, run or folder, RecognizerConfig(name), lambda: measured)


MEASURED, OTHERS = [Reading("a", 1.0), Reading("", 0.25)], [Reading("b", 0.5)]


def test_readings_are_measured_once_for_each_recognizer(folder: Path) -> None:
    for name in ("english_g2", "ppocr"):
        assert kept(folder, MEASURED, name) == MEASURED
    assert kept(folder, [], "ppocr") == MEASURED


def test_readings_of_another_version_or_other_images_are_measured_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(folder, MEASURED)
    raised = versions.TABLE["recognizers"]._replace(number=99)
    monkeypatch.setitem(versions.TABLE, "recognizers", raised)
    assert kept(folder, OTHERS) == kept(folder, []) == OTHERS
    manifest = Manifest.load(folder)
    replace(manifest, spec=replace(manifest.spec, seed=7)).save(folder)
    assert kept(folder, MEASURED) == kept(folder, []) == MEASURED


@pytest.mark.parametrize("content", ['[["a", 1.0]]', "{", '{"of": 1}', ""])
def test_readings_that_older_code_wrote_or_that_are_damaged_are_measured_again(folder: Path, content: str) -> None:
    (folder / "readings-english_g2.json").write_text(content)
    assert kept(folder, MEASURED) == kept(folder, []) == MEASURED


def test_readings_are_kept_in_the_runs_folder_where_nobody_may_write_beside_the_images(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "readings-english_g2.json").write_text("[]")
    monkeypatch.setattr(legibility.os, "access", lambda path, mode: False)
    assert kept(folder, MEASURED, run=tmp_path) == kept(folder, [], run=tmp_path) == MEASURED
    assert (folder / "readings-english_g2.json").read_text() == "[]"
