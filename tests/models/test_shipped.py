"""The model that comes along: whoever has installed the project compresses and reads, and trains nothing."""

from pathlib import Path

import numpy as np
import pytest

from datagen.render import render
from datagen.spec import DatasetSpec
from models.__main__ import main
from models.files.model import QUALITIES, RateDial, load_model
from models.metrics import mean_accuracy
from models.shipped import DIAL

SPEC = DatasetSpec(seed=2_030)
"""Images that are in no data set of a preset."""
COUNT = 12


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines").mkdir()
    return tmp_path


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["models", *arguments])
    return main()


def test_it_is_small_and_holds_every_rate() -> None:
    assert DIAL.stat().st_size < 5 << 20
    assert DIAL.with_suffix(".md").read_text().startswith("<!--")
    model = load_model(DIAL)
    assert isinstance(model, RateDial)
    weights = [model.weights(quality).rate_weight for quality in QUALITIES]
    assert weights == sorted(weights, reverse=True)


def test_what_was_drawn_is_read_from_files_of_a_hundred_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [render(SPEC, "test", index) for index in range(COUNT)]
    for number, sample in enumerate(samples):
        (folder / "lines" / f"{number:02d}.png").write_bytes(sample.image)
    assert called(monkeypatch, "compress", "lines", "files") == 0
    capsys.readouterr()
    assert called(monkeypatch, "read", "files") == 0
    read = [line.partition("\t")[2] for line in capsys.readouterr().out.splitlines()]
    assert mean_accuracy(read, [sample.text for sample in samples]) > 0.7
    sizes = [file.stat().st_size for file in sorted((folder / "files").iterdir())]
    assert 50 < np.mean(sizes) < 200
