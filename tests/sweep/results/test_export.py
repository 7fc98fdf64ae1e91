import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from rows import frame
from runs import opened

from models.files.model import TrainedCodec
from sweep import versions
from sweep.errors import SweepError
from sweep.results import export
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.stages import tree


def test_a_dials_path_is_smooth_rises_and_stays_in_the_plane() -> None:
    rates = np.geomspace(0.03, 0.2, 12)
    noise = np.where(np.arange(12) % 2, 1.5, 1 / 1.5)
    front = pl.DataFrame({"bpp": rates, "lambda": 0.003 / rates * noise, "beta": rates})
    path = export.path_along(front)
    assert len(path) == export.STOPS
    betas = [stop.ocr_weight for stop in path]
    assert betas == sorted(betas)
    for stop, rate in zip(path, np.geomspace(0.03, 0.2, export.STOPS), strict=True):
        assert stop.rate_weight == pytest.approx(0.003 / rate, rel=0.3)
        assert min(front["lambda"]) - 1e-9 <= stop.rate_weight <= max(front["lambda"]) + 1e-9


@pytest.mark.parametrize("points", [2, 3, 12])
@pytest.mark.parametrize("weight", ["lambda", "beta"])
def test_a_weight_of_one_value_stays_along_the_dial(weight: str, points: int) -> None:
    rates = np.geomspace(0.03, 0.2, points)
    front = pl.DataFrame({"bpp": rates, "lambda": 0.003 / rates, "beta": rates})
    path = export.path_along(front.with_columns(pl.lit(0.7).alias(weight)))
    kept = [stop.rate_weight if weight == "lambda" else stop.ocr_weight for stop in path]
    assert kept == pytest.approx([0.7] * export.STOPS)


def test_a_dial_of_one_point_is_refused() -> None:
    with pytest.raises(SweepError, match="two points"):
        export.path_along(pl.DataFrame({"bpp": [0.1], "lambda": [0.1], "beta": [0.1]}))


ROW = {"point_id": "a", "kind": "tfic", "status": "complete", "bpp": 0.1, "accuracy": 0.6, "codec": "small"}
ROW |= {"lambda": 0.01, "beta": 0.001, "checkpoint": "checkpoints/a.pt"}
TWO = frame(ROW, ROW | {"point_id": "b", "bpp": 0.2, "accuracy": 0.8})
POINT = Point.of(TWO.row(0, named=True))


@pytest.fixture
def older(tmp_path: Path, data_folder: Path, trained: TrainedCodec) -> RunFolder:
    """A run that has trained its shared stages and a point, under numbers and a data set's digest of its own."""
    data = tmp_path / "data"
    data.mkdir()
    manifest = json.loads((data_folder / "manifest.json").read_text())
    (data / "manifest.json").write_text(json.dumps(manifest))
    run = opened(preset="smoke", out=tmp_path / "run", data=str(data))
    (data / "manifest.json").write_text(json.dumps(manifest | {"digest": "of then"}))
    torch.save(trained.codec.state_dict(), run.path / "checkpoints" / "a.pt")
    return run


def without_versions(run: RunFolder) -> RunFolder:
    content = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(content | {"versions": None}))
    return RunFolder.load(run.path)


def save_network(run: RunFolder, digest: str) -> None:
    node = tree.as_of(tree.conditioned2(run.config), digest, run.versions)
    torch.save(node.build().state_dict(), run.path / "checkpoints" / f"{node.key}.pt")


@pytest.mark.parametrize("numbered", [True, False])
def test_an_older_runs_codecs_are_exported(older: RunFolder, numbered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    run = older if numbered else without_versions(older)
    save_network(run, "of then")
    for name in ("training", "recognizers", "renderer"):
        monkeypatch.setitem(versions.TABLE, name, versions.TABLE[name]._replace(number=99))
    assert export.dial(run, TWO).codec_name == "small"
    assert export.trained(run, POINT).facts["bpp"] == 0.1


@pytest.mark.parametrize(("name", "said", "point"), [("small", "codec", False), ("conditioning", "conditioning", True)])
def test_weights_of_another_network_are_not_exported(
    older: RunFolder, name: str, said: str, point: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_network(older, "of then")
    monkeypatch.setitem(versions.TABLE, name, versions.TABLE[name]._replace(number=99))
    with pytest.raises(SweepError, match=f"started by a release with another {said}"):
        export.dial(older, TWO)
    if point:
        assert export.trained(older, POINT).codec_name == "small"
    else:
        with pytest.raises(SweepError, match="started by a release with another codec"):
            export.trained(older, POINT)


def test_weights_of_an_older_release_that_nobody_can_load_are_not_called_damaged(older: RunFolder) -> None:
    run = without_versions(older)
    torch.save({}, run.path / "checkpoints" / "a.pt")
    with pytest.raises(
        SweepError, match="holds the weights of another network, as another version of this program built it"
    ):
        export.trained(run, POINT)
