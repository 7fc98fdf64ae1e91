"""python -m models, as a user runs it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.dataset import TextImages
from models.__main__ import main
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


def test_help_explains_itself(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["models", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("compress", "decompress", "read"))
