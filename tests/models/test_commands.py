"""python -m models, as a user runs it."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reader
import torch
from PIL import Image

from datagen.dataset import TextImages
from models.__main__ import main
from models.console import ended
from models.files import tfic
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile


@pytest.fixture
def folder(tmp_path: Path, trained: TrainedCodec, test_images: TextImages) -> Path:
    trained.save(tmp_path / "model.pt")
    Image.fromarray(test_images.images[0]).save(tmp_path / "image.png")
    return tmp_path


def models(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "models", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_an_image_goes_through_a_file_and_is_read(folder: Path) -> None:
    packed = models(folder, "compress", "image.png", "image.tfic", "--model", "model.pt")
    size = (folder / "image.tfic").stat().st_size
    assert (packed.returncode, packed.stderr) == (0, "")
    assert f"{size} bytes" in packed.stdout
    assert models(folder, "decompress", "image.tfic", "out.png", "--model", "model.pt").returncode == 0
    assert np.asarray(Image.open(folder / "out.png")).shape == (64, 256, 3)
    read = models(folder, "read", "image.tfic", "--model", "model.pt")
    assert (read.returncode, read.stderr, read.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compress", "none.png", "out.tfic", "--model", "model.pt"], "none.png cannot be read as an image"),
        (["compress", "image.png", "out.tfic", "--model", "none.pt"], "none.pt does not exist"),
        (["compress", "alpha.png", "out.tfic", "--model", "model.pt"], "has transparency"),
        (["compress", "image.png", "alpha.png/out.tfic", "--model", "model.pt"], "cannot be written"),
        (["compress", "*.jpg", "out", "--model", "model.pt"], "*.jpg names no file"),
        (["compress", "**.png", "out", "--model", "model.pt"], "write '**/*.png'"),
        (["decompress", "none.tfic", "image.png", "--model", "model.pt"], "none.tfic cannot be read"),
        (["decompress", ".", "out", "--model", "model.pt"], "names no file"),
        (["decompress", "image.png", "out.png", "--model", "model.pt"], "no .tfic file"),
        (["decompress", "image.png", "image.png", "--model", "model.pt"], "image.png exists; choose another name"),
        (["compress", "image.png", "image.png", "--model", "model.pt"], "image.png exists; choose another name"),
        (["read", "none.tfic", "--model", "model.pt"], "none.tfic cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    folder: Path, arguments: list[str], said: str, monkeypatch, capsys
) -> None:
    Image.new("RGBA", (64, 64)).save(folder / "alpha.png")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["models", *arguments])
    assert main() == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not (folder / "out.tfic").exists()


def run(folder: Path, monkeypatch, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["models", *arguments, "--model", "model.pt"])
    return main()


def test_a_folder_goes_through_files_and_back(
    folder: Path, test_images: TextImages, monkeypatch, capsys, recognizer
) -> None:
    (folder / "scans" / "deep").mkdir(parents=True)
    Image.fromarray(test_images.images[0]).save(folder / "scans" / "a.png")
    Image.fromarray(test_images.images[1]).convert("L").save(folder / "scans" / "deep" / "b.jpg")
    (folder / "scans" / "broken.png").write_bytes(b"nothing")
    (folder / "scans" / "notes.txt").write_text("no image")
    assert run(folder, monkeypatch, "compress", "scans", "packed") == 2
    said = capsys.readouterr()
    assert "packed/a.tfic: " in said.out
    assert "failed: scans/broken.png" in said.err
    assert "1 of 3 files failed" in said.err
    assert run(folder, monkeypatch, "decompress", "packed", "restored") == 0
    files = sorted(path.relative_to(folder / "restored").as_posix() for path in (folder / "restored").rglob("*.png"))
    assert files == ["a.png", "deep/b.png"]
    assert Image.open(folder / "restored" / "deep" / "b.png").mode == "L"
    for _ in range(2):
        assert run(folder, monkeypatch, "decompress", "packed/a.tfic", "one.png") == 0
    assert run(folder, monkeypatch, "compress", "scans/*.png", "packed") == 2
    (folder / "restored" / "a.png").unlink()
    capsys.readouterr()
    assert run(folder, monkeypatch, "decompress", "packed", "restored") == 2
    said = capsys.readouterr()
    assert said.out.startswith("restored/a.png: ")
    assert "failed: packed/deep/b.tfic: restored/deep/b.png exists; choose another name or folder" in said.err
    assert run(folder, monkeypatch, "read", "packed/**/*.tfic") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["packed/a.tfic", "packed/deep/b.tfic"]
    (folder / "packed" / "a.png").touch()
    assert run(folder, monkeypatch, "read", "packed/*") == 0


def test_a_folder_goes_through_an_archive_and_back(folder: Path, test_images: TextImages, monkeypatch, capsys) -> None:
    (folder / "scans" / "deep").mkdir(parents=True)
    Image.fromarray(test_images.images[0]).save(folder / "scans" / "a.b.png")
    Image.fromarray(test_images.images[1]).convert("L").save(folder / "scans" / "deep" / "c.jpg")
    (folder / "scans" / "broken.png").write_bytes(b"nothing")
    assert run(folder, monkeypatch, "compress", "scans", "all.tfics") == 2
    said = capsys.readouterr()
    assert "\nall.tfics: " in said.out
    assert "2 images (" in said.out
    assert "failed: scans/broken.png" in said.err
    monkeypatch.setattr("sys.argv", ["models", "list", "all.tfics"])
    assert main() == 0
    assert capsys.readouterr().out == "a.b\ndeep/c\n"
    assert run(folder, monkeypatch, "decompress", "all.tfics", "restored/") == 0
    assert Image.open(folder / "restored" / "a.b.png").size == (256, 64)
    assert Image.open(folder / "restored" / "deep" / "c.png").mode == "L"
    for target, place in (("one.png", "one.png"), ("some/", "some/a.b.png")):
        assert run(folder, monkeypatch, "decompress", "all.tfics/a.b", target) == 0
        assert (folder / place).read_bytes() == (folder / "restored" / "a.b.png").read_bytes()
    (folder / "packed").mkdir()
    (folder / "all.tfics").replace(folder / "packed" / "all.tfics")
    assert run(folder, monkeypatch, "decompress", "packed", "unpacked") == 0
    assert (folder / "unpacked" / "all" / "deep" / "c.png").is_file()
    capsys.readouterr()
    assert run(folder, monkeypatch, "decompress", "packed/all.tfics/b", "b.png") == 2
    assert "packed/all.tfics holds no b; python -m models list packed/all.tfics lists it" in capsys.readouterr().err


def test_what_is_lost_of_a_damaged_archive_is_named_and_nothing_else_is(
    folder: Path, trained: TrainedCodec, test_images: TextImages, monkeypatch, capsys, recognizer
) -> None:
    monkeypatch.setattr("models.files.tfics.GROUP_IMAGES", 1)
    (folder / "scans").mkdir()
    for name, image in zip("ab", test_images.images, strict=False):
        Image.fromarray(image).save(folder / "scans" / f"{name}.png")
    assert run(folder, monkeypatch, "compress", "scans", "all.tfics") == 0
    (folder / "all.tfics").write_bytes((folder / "all.tfics").read_bytes()[:-60])
    capsys.readouterr()
    assert run(folder, monkeypatch, "read", "all.tfics") == 2
    said = capsys.readouterr()
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["all.tfics/a"]
    assert "failed: all.tfics/b: it is lost with all 1 of its group" in said.err
    assert "failed: all.tfics: the archive is damaged or not whole" in said.err
    assert run(folder, monkeypatch, "read", "all.tfics/a") == 0
    monkeypatch.setattr("sys.argv", ["models", "list", "all.tfics"])
    assert main() == 2


def test_two_images_never_become_one_file(folder: Path, monkeypatch, capsys) -> None:
    Image.open(folder / "image.png").save(folder / "image.jpg")
    assert run(folder, monkeypatch, "compress", ".", "out") == 2
    assert "2 files would become out/image.tfic" in capsys.readouterr().err
    assert run(folder, monkeypatch, "compress", "*.jpg", "out") == 0


def test_an_image_that_is_no_line_of_text_is_not_read(folder: Path, trained: TrainedCodec, monkeypatch, capsys) -> None:
    (folder / "thread.tfic").write_bytes(tfic.encode(trained, np.zeros((1, 2_000), np.uint8)))
    assert run(folder, monkeypatch, "read", "thread.tfic") == 2
    assert "thread.tfic: 2000x1 pixels are no line of text; cut" in capsys.readouterr().err


def test_a_folder_that_a_slash_names_is_made(folder: Path, monkeypatch) -> None:
    assert run(folder, monkeypatch, "compress", "image.png", "packed/") == 0
    assert run(folder, monkeypatch, "decompress", "packed/image.tfic", "restored/") == 0
    assert (folder / "restored" / "image.png").is_file()


def test_files_of_any_name_are_worked_on(folder: Path, monkeypatch, capsys) -> None:
    """One is no UTF-8, one as long as the disk allows."""
    (folder / "scans").mkdir()
    for name in (b"caf\xe9", b"x" * 250):
        shutil.copy(folder / "image.png", folder / "scans" / f"{os.fsdecode(name)}.png")
    assert ended(lambda: run(folder, monkeypatch, "compress", "scans", "packed")) == 0
    assert capsys.readouterr().out.count(" bpp, 256x64\n") == 2
    assert len(list((folder / "packed").iterdir())) == 2


def test_a_photo_is_kept_as_it_is_looked_at(folder: Path, monkeypatch) -> None:
    picture = Image.new("RGB", (40, 90), "white")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif)
    deep = np.full((30, 50), 40_000, np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    for name, size, mode in (("turned.jpg", (90, 40), "RGB"), ("deep.png", (50, 30), "L")):
        assert run(folder, monkeypatch, "compress", name, "x.tfic") == 0
        assert run(folder, monkeypatch, "decompress", "x.tfic", f"restored-{name}") == 0
        restored = Image.open(folder / f"restored-{name}")
        assert (restored.size, restored.mode) == (size, mode)


def test_a_text_is_read_with_the_checkpoint_that_trained_the_model(
    folder: Path, trained: TrainedCodec, test_images: TextImages, monkeypatch, capsys
) -> None:
    network = StrNet(COMBINATIONS["none-rcnn-none-attn"], 38)
    torch.save(network.state_dict(), folder / "weights.pth")
    identity = recognizers.identity("none-rcnn-none-attn", WeightsFile.of(folder / "weights.pth"))
    model = replace(trained, recognizer_name=identity)
    model.save(folder / "model.pt")
    (folder / "image.tfic").write_bytes(tfic.encode(model, test_images.images[0]))
    monkeypatch.chdir(folder)
    read = ["models", "read", "image.tfic", "--model", "model.pt"]
    for given, code, said in (
        (["--recognizer-weights", "weights.pth"], 0, ""),
        (["--recognizer-weights", "image.png"], 2, "image.png is not the checkpoint"),
        ([], 2, "give --recognizer-weights FILE"),
    ):
        monkeypatch.setattr("sys.argv", [*read, *given])
        assert main() == code
        assert said in capsys.readouterr().err


def test_a_text_is_read_by_a_users_recognizer_if_the_user_names_it(
    folder: Path, trained: TrainedCodec, test_images: TextImages, monkeypatch, capsys
) -> None:
    shutil.copy(reader.__file__, folder / "command_reader.py")
    monkeypatch.syspath_prepend(folder)
    name = "command_reader:load"
    both = [RecognizerConfig(name, source=Plugin.of(name)), RecognizerConfig("english_g2")]
    model = replace(trained, recognizer_name=ensemble.identity(both))
    model.save(folder / "model.pt")
    (folder / "image.tfic").write_bytes(tfic.encode(model, test_images.images[0]))
    monkeypatch.chdir(folder)
    read = ["models", "read", "image.tfic", "--model", "model.pt"]
    for given, code in (["--recognizer", name], 0), (["--recognizer", "os:getcwd"], 2), ([], 2):
        monkeypatch.setattr("sys.argv", [*read, *given])
        assert main() == code
        assert (f"give --recognizer {name}" in capsys.readouterr().err) == (code == 2)


def test_help_explains_itself(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["models", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("compress", "decompress", "read", "list", "export-encoder"))
