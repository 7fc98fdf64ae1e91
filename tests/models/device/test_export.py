"""What becomes of a model on its way to a device."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from miniatures import MINIATURES, spread_out

from models.__main__ import main
from models.device import encode, export
from models.device.encode import Encoder
from models.errors import ModelError
from models.files import tfic
from models.files.model import Size, TrainedCodec


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "model.pt does not say how large its images are; give --size WIDTHxHEIGHT"),
        (["--size", "256"], "--size 256 is no size; write it as 256x64"),
        (["--size", "0x64"], "0x64 pixels are"),
        (["--size", "256x64", "--quality", "3"], "this model has one rate"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_exit_code_2(
    trained: TrainedCodec, options: list[str], said: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    trained.save(tmp_path / "model.pt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["models", "export-encoder", "out", "--model", "model.pt", *options])
    assert main() == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_codec_whose_tables_depend_on_the_machine_is_refused(trained: TrainedCodec, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="elic cannot be exported; of small, factorized, hyperprior, mbt2018-mean it"):
        export.export(replace(trained, codec_name="elic"), tmp_path, Size(64, 64))


def test_a_package_that_is_missing_is_named(trained: TrainedCodec, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(export, "PACKAGES", ("numpy", "no_such_package"))
    with pytest.raises(ModelError, match="no_such_package: uv sync --inexact --extra onnx"):
        export.export(trained, tmp_path, Size(64, 64))


@pytest.mark.slow
@pytest.mark.parametrize("name", export.CODECS)
def test_a_codec_that_can_be_exported_is(name: str, tmp_path: Path) -> None:
    """To the canvas, which files do not repeat, and whose sides are no multiples of the codec's factor."""
    torch.manual_seed(0)
    codec = MINIATURES[name]().eval()
    spread_out(codec)
    codec.update_tables()
    model, image = TrainedCodec(codec, name, "", {}, Size(100, 50)), np.full((50, 100, 3), 90, np.uint8)
    export.export(model, tmp_path, Size(100, 50))
    with np.load(tmp_path / encode.TABLES) as content:
        encoder = Encoder((tmp_path / encode.GRAPH).read_bytes(), content)
    data = encoder.encode(image)
    assert data[0] == ord("x")
    assert np.array_equal(tfic.decode(model, data), tfic.decode(model, tfic.encode(model, image)))
