"""python -m models, as a user runs it."""

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
from models import container, recognizers, teachers
from models.__main__ import main
from models.plugins import Plugin
from models.str_net import COMBINATIONS, StrNet
from models.str_weights import WeightsFile
from models.teachers import Teacher
from models.trained import TrainedCodec


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
        (["compress", "image.png", "no/out.tfic", "--model", "model.pt"], "cannot be written"),
        (["decompress", "image.png", "out.png", "--model", "model.pt"], "no .tfic file"),
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


def test_a_text_is_read_with_the_checkpoint_that_trained_the_model(
    folder: Path, trained: TrainedCodec, test_images: TextImages, monkeypatch, capsys
) -> None:
    network = StrNet(COMBINATIONS["none-rcnn-none-attn"], 38)
    torch.save(network.state_dict(), folder / "weights.pth")
    identity = recognizers.identity("none-rcnn-none-attn", WeightsFile.of(folder / "weights.pth"))
    model = replace(trained, recognizer_name=identity)
    model.save(folder / "model.pt")
    (folder / "image.tfic").write_bytes(container.encode(model, test_images.images[0]))
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
    both = [Teacher(name, source=Plugin.of(name)), Teacher("english_g2")]
    model = replace(trained, recognizer_name=teachers.identity(both))
    model.save(folder / "model.pt")
    (folder / "image.tfic").write_bytes(container.encode(model, test_images.images[0]))
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
    assert all(word in printed for word in ("compress", "decompress", "read"))
