"""A file is just readable where the recognizer reads in it what it reads in the original, and in no smaller one."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.dataset import TextImages
from models.__main__ import main
from models.errors import ModelError
from models.files import pixels, tfic
from models.files.framing import TficFile
from models.files.model import QUALITIES, RateDial, TrainedCodec
from models.files.tfics import Writer
from models.keeping import BEST, STRIDE, Keeper, smallest
from models.recognizers.base import FrozenRecognizer, Transcription
from models.recognizers.ctc_attention import CtcRecognizer


@pytest.fixture
def two_positions(monkeypatch) -> None:
    """The first round has two: a word that is lost would take all of them."""
    monkeypatch.setattr("models.keeping.STRIDE", BEST)


class Meter(FrozenRecognizer):
    """Reads whether an image has a mean brightness of 5 of 255 at least: what an untrained codec keeps at some rate."""

    def loss(self, images, texts, scale=1.0):
        raise NotImplementedError

    def read(self, images):
        return [Transcription("light" if image.mean() > 5 / 255 else "dark") for image in images]


def packed(model: RateDial, names: Sequence[str], images: Sequence[np.ndarray], quality: int) -> bytes:
    archive = Writer(model)
    for name, image in zip(names, images, strict=True):
        archive.add(name, image, quality)
    return archive.pack()[0]


@pytest.mark.parametrize("least", [0, 1, STRIDE, 41, 44, 45, 46, BEST - 1, BEST])
def test_the_smallest_position_is_found_where_readings_grow_with_the_rate(least: int) -> None:
    asked: list[int] = []
    assert smallest(lambda quality: asked.append(quality) or quality >= least) == least
    assert len(asked) == len(set(asked)) <= BEST / STRIDE + STRIDE


def test_a_reading_that_a_larger_file_loses_is_found_in_the_smaller_one() -> None:
    assert smallest({20, 23, 41, 90}.__contains__) == 20
    assert smallest({18, 20, 19, 90}.__contains__) == 18
    assert smallest({21}.__contains__) is None


def test_a_file_is_the_smallest_that_keeps_the_reading(dial: RateDial, test_images: TextImages) -> None:
    image, meter = test_images.images[0], Meter()
    keeper = Keeper(dial, meter)
    found = TficFile.unpack(keeper.encode(image, "a")).head.quality
    assert found is not None
    assert keeper.lost == {}
    for quality in (found, found - 1):
        restored = tfic.decode(dial, tfic.encode(dial, image, quality))
        [read] = meter.read(pixels.to_float(restored))
        assert (read.text == "light") == (quality == found)


def test_an_image_without_text_has_the_smallest_file(dial: RateDial, test_images: TextImages) -> None:
    keeper = Keeper(dial, Meter())
    black = np.zeros((64, 256), np.uint8)
    assert keeper.encode(black, "black") == tfic.encode(dial, black, QUALITIES[0])
    assert keeper.said() == ""
    keeper.encode(test_images.images[0], "light")
    said = (
        r"2 of 2 images are read as their originals are; [\d.]+ bpp in files of their own, where --quality 100 takes "
    )
    assert re.match(said, keeper.said())


@pytest.mark.usefixtures("two_positions")
def test_what_no_file_keeps_has_the_best_and_is_named_with_both_readings(
    dial: RateDial, test_images: TextImages, recognizer: CtcRecognizer
) -> None:
    keeper = Keeper(dial, recognizer)
    assert keeper.encode(test_images.images[0], "word") == tfic.encode(dial, test_images.images[0], BEST)
    [(name, read)] = keeper.lost.items()
    [original] = recognizer.read(pixels.to_float(test_images.images[0]))
    assert (name, read.original) == ("word", original.text)
    assert read.file != read.original


def test_an_archive_is_looked_through_as_it_is_written(dial: RateDial, test_images: TextImages) -> None:
    images, keeper = list(test_images.images[:2]), Keeper(dial, Meter())
    for name, image in zip("ab", images, strict=True):
        keeper.encode(image, name)
    keeper.check(packed(dial, "ab", images, BEST))
    assert keeper.lost == {}
    keeper.check(packed(dial, "ab", [images[0], np.zeros_like(images[1])], QUALITIES[0]))
    assert {*keeper.lost} == {*"ab"}


def test_a_codec_of_one_rate_keeps_no_reading(trained: TrainedCodec) -> None:
    with pytest.raises(ModelError, match="this model has one rate, and --keep-reading needs a dial"):
        Keeper(trained, Meter())


@pytest.fixture
def folder(tmp_path: Path, dial: RateDial, trained: TrainedCodec, test_images: TextImages, monkeypatch) -> Path:
    """Two words that the untrained codec loses, in a folder, beside models."""
    dial.save(tmp_path / "dial.pt")
    trained.save(tmp_path / "model.pt")
    (tmp_path / "scans").mkdir()
    for name, image in zip(("one", "two"), test_images.images, strict=False):
        Image.fromarray(image).save(tmp_path / "scans" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["models", *arguments])
    return main()


@pytest.mark.usefixtures("two_positions")
@pytest.mark.parametrize(
    ("target", "names"), [("packed/", ("scans/one.png", "scans/two.png")), ("all.tfics", ("one", "two"))]
)
def test_a_command_writes_all_files_names_what_it_could_not_keep_and_ends_with_1(
    folder: Path, target: str, names: tuple[str, str], monkeypatch, capsys
) -> None:
    assert run(monkeypatch, "compress", "scans/", target, "--model", "dial.pt", "--keep-reading") == 1
    said = capsys.readouterr()
    for name in names:
        assert f"not kept: {name} (original: '" in said.err
    assert "error: not every reading is kept; the lines above name the images" in said.err
    assert "0 of 2 images are read as their originals are; " in said.out
    assert run(monkeypatch, "read", target, "--model", "dial.pt") == 0
    assert capsys.readouterr().out.count("\n") == 2


def test_a_command_that_keeps_all_ends_with_0(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("models.reading.recognizer", lambda *given: Meter())
    assert run(monkeypatch, "compress", "scans/one.png", "one.tfic", "--model", "dial.pt", "--keep-reading") == 0
    said = capsys.readouterr()
    assert said.err == ""
    quality = TficFile.unpack((folder / "one.tfic").read_bytes()).head.quality
    assert said.out.endswith(f" bpp, 256x64, quality {quality}\n")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--model", "model.pt", "--keep-reading"], "--keep-reading needs a dial"),
        (["--model", "dial.pt", "--keep-reading", "--bpp", "0.1"], "--bpp and --keep-reading exclude each other"),
        (["--model", "dial.pt", "--keep-reading", "--quality", "3"], "--quality and --keep-reading exclude each other"),
        (["--model", "dial.pt", "--recognizer", "os:getcwd"], "--recognizer-weights are for --keep-reading"),
        (["--model", "dial.pt", "--keep-reading", "--recognizer", "os:getcwd"], "leave --recognizer os:getcwd out"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(folder: Path, given: list[str], said: str, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "compress", "scans/", "packed/", *given) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "packed").exists()
