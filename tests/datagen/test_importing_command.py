"""python -m datagen import, as a user calls it."""

import os
from pathlib import Path

import pytest
from labeled import in_names, png

from datagen.__main__ import main
from datagen.shards import Manifest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def test_the_command_imports_and_counts_what_it_left_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_names(source) / "x_1.png").write_bytes(b"")
    monkeypatch.setattr("sys.argv", ["datagen", "import", str(source), "--out", str(tmp_path / "out")])
    assert main() == 0
    said = capsys.readouterr().out
    assert "train" in said
    assert said.startswith("41 images, texts in the images' names, TEXT_NUMBER\n")
    assert "not used: 1 of the images: it is no image" in said
    assert main() == 2


def test_names_whose_bytes_are_no_text_are_spelled_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    in_names(source)
    for name, shade in (("\udcffodd_1.png", 90), ("aa\udcff_2.png", 0)):
        (source / name).write_bytes(png(shade))
    (source / "zz_1.png").write_bytes(png(90))
    monkeypatch.setattr("sys.argv", ["datagen", "import", str(source), "--out", str(tmp_path / "out")])
    assert main() == 0
    rejected = Manifest.load(tmp_path / "out").rejected
    assert {r"\udcffodd_1.png", r"aa\udcff_2.png"} == set(rejected)
    assert (
        r"not used: 2 of the images: its label has characters that are not among --characters" in capfd.readouterr().out
    )


def test_a_reader_that_stops_listening_ends_the_command_without_blame(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    in_names(source)
    read, write = os.pipe()
    os.close(read)
    monkeypatch.setattr("sys.argv", ["datagen", "import", str(source), "--out", str(tmp_path / "out")])
    with os.fdopen(write, "w", buffering=1) as output:
        monkeypatch.setattr("sys.stdout", output)
        assert main() == 1
    assert not capfd.readouterr().err


def test_a_path_may_look_like_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["datagen", "import", str(tmp_path / "[red]" / "x"), "--out", str(tmp_path / "out")]
    )
    assert main() == 2
    assert "[red]/x does not exist" in capsys.readouterr().err
