"""Weights that a user gives a sweep may move, but not change."""

import shutil
import string
from dataclasses import replace
from pathlib import Path

import formula
import pytest
import reader
import torch
from runs import opened

from datagen.spec import DatasetSpec
from models import shipped
from models.codecs import registry as codecs
from models.codecs.conditioning import ConditionedCodec
from models.errors import ModelError, WeightsError
from models.files import pretrained
from models.weights import WeightsFile
from sweep import presets
from sweep.errors import SweepError
from sweep.run import main
from sweep.stages import tree
from sweep.stages.store import Store


def test_a_recognizers_weights_may_move_but_not_change(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    formula.checkpoint(weights, "none-rcnn-none-ctc", 37)
    asked = {"recognizer": ("none-rcnn-none-ctc",), "recognizer_weights": (weights,)}
    run = opened(preset="smoke", out=tmp_path / "run", **asked)
    moved = weights.rename(tmp_path / "moved.pth")
    resumed = opened(out=tmp_path / "run", resume=True, recognizer_weights=(moved,))
    assert resumed.config == run.config
    source = resumed.config.recognizers[0].source
    assert isinstance(source, WeightsFile)
    assert source.path == str(moved)
    moved.write_bytes(b"other weights")
    with pytest.raises(SweepError, match="another --recognizer;"):
        opened(out=tmp_path / "run", resume=True, recognizer_weights=(moved,))


def test_a_users_recognizer_is_resumed_with_the_weights_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(reader.__file__, tmp_path / "resumed_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    asked = {"recognizer": ("english_g2", "resumed_reader:load=0.5")}
    run = opened(preset="smoke", out=tmp_path / "run", **asked)
    assert isinstance(run.config.data, DatasetSpec)
    assert run.config.data.texts.characters == string.digits + string.ascii_uppercase + string.ascii_lowercase
    assert opened(out=tmp_path / "run", resume=True, **asked) == run
    torch.save(dict.fromkeys(reader.load().state_dict(), torch.zeros(())), tmp_path / "resumed_reader.pt")
    with pytest.raises(ModelError, match=r"resumed_reader:load failed \(RuntimeError"):
        opened(out=tmp_path / "run", resume=True, **asked)
    state = {name: tensor + 1 for name, tensor in reader.load().state_dict().items()}
    torch.save(state, tmp_path / "resumed_reader.pt")
    with pytest.raises(SweepError, match="another --recognizer;"):
        opened(out=tmp_path / "run", resume=True, **asked)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.save(codecs.build("small").state_dict(), tmp_path / "small.pth")
    return tmp_path / "small.pth"


def test_a_checkpoint_shortens_stage_1_and_may_move_but_not_change(tmp_path: Path, checkpoint: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", init=checkpoint)
    assert run.config.stage1.steps == presets.smoke().stage1.steps // 2
    assert run.config.stage2 == presets.smoke().stage2
    moved = checkpoint.rename(tmp_path / "moved.pth")
    resumed = opened(out=tmp_path / "run", resume=True, init=moved)
    assert resumed.config == run.config
    assert resumed.config.init is not None
    assert resumed.config.init.path == str(moved)
    torch.save(codecs.build("small").state_dict(), moved)
    with pytest.raises(SweepError, match="another --init"):
        opened(out=tmp_path / "run", resume=True, init=moved)
    with pytest.raises(WeightsError, match="has changed"):
        opened(out=tmp_path / "run", resume=True)


@pytest.mark.parametrize("given", [{}, {"init": shipped.DIAL}])
def test_a_sweep_fits_the_dial_that_comes_along_to_its_images(tmp_path: Path, given: dict) -> None:
    run, scratch = opened(preset="cpu", out=tmp_path / "run", **given), presets.cpu()
    assert run.config.init == WeightsFile.of(shipped.DIAL)
    assert 0 < run.config.stage1.steps < scratch.stage1.steps / 20
    assert 0 < run.config.stage2.steps < scratch.stage2.steps / 5
    assert opened(out=tmp_path / "run", resume=True, **given).config == run.config
    with pytest.raises(SweepError, match="another --init"):
        opened(out=tmp_path / "run", resume=True, from_scratch=True)


def test_few_images_are_not_learned_by_heart(tmp_path: Path, data_folder: Path) -> None:
    config = opened(preset="cpu", out=tmp_path / "run", data=str(data_folder)).config
    for stage in (config.stage1, config.stage2):
        assert stage.steps == 8 * config.data.train // stage.batch_size


@pytest.mark.parametrize(("given", "images"), [({}, 8_000), ({"hours": 2.0}, 20_000), ({"steps": (9, 9)}, 20_000)])
def test_few_images_are_drawn_for_short_stages_alone(tmp_path: Path, given: dict, images: int) -> None:
    assert opened(preset="cpu", out=tmp_path / "run", **given).config.data.train == images


def test_a_dial_that_comes_along_is_found_wherever_the_project_lies() -> None:
    elsewhere = replace(WeightsFile.of(shipped.DIAL), path="/nowhere/dial.pt")
    assert isinstance(pretrained.load(shipped.CODEC, elsewhere), ConditionedCodec)


@pytest.mark.parametrize("given", [{"from_scratch": True}, {"codec": "factorized"}, {"target": "image"}])
def test_a_sweep_that_no_weights_fit_starts_from_fresh_ones(tmp_path: Path, given: dict) -> None:
    config = opened(preset="cpu", out=tmp_path / "run", **given).config
    assert config.init is None
    assert (config.stage1.steps, config.stage2.steps) == (presets.cpu().stage1.steps, presets.cpu().stage2.steps)
    assert opened(out=tmp_path / "run", resume=True, **given).config == config


def test_weights_and_none_are_not_asked_for_at_once(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="--init starts from weights and --from-scratch from none"):
        opened(preset="cpu", out=tmp_path / "run", init=shipped.DIAL, from_scratch=True)


def test_a_checkpoint_is_needed_until_stage_1_is_trained(tmp_path: Path, checkpoint: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", init=checkpoint)
    checkpoint.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        opened(out=tmp_path / "run", resume=True)
    Store.of(run.path).path(tree.conditioned1(run.config)).touch()
    assert opened(out=tmp_path / "run", resume=True).config == run.config


def test_a_stage_1_that_another_run_trained_from_a_checkpoint_serves_the_next(tmp_path: Path, checkpoint: Path) -> None:
    config = opened(preset="smoke", out=tmp_path / "a", init=checkpoint).config
    node = tree.conditioned1(config)
    (tmp_path / "store").mkdir()
    torch.save(node.start().state_dict(), tmp_path / "store" / f"{node.key}.pt")
    other = opened(preset="smoke", out=tmp_path / "b", init=checkpoint, betas=(0.1, 0.2))
    checkpoint.unlink()
    assert opened(out=other.path, resume=True).config == other.config
    assert Store.of(other.path).holds(node)


def test_another_codecs_checkpoint_makes_no_folder(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="holds small, not mbt2018-mean; give --codec small"):
        opened(preset="smoke", out=tmp_path / "run", codec="mbt2018-mean", init=checkpoint)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [None, b"no checkpoint"])
def test_a_wrong_checkpoint_stops_a_sweep_before_it_starts(tmp_path: Path, monkeypatch, capsys, content) -> None:
    weights = tmp_path / "weights.pth"
    if content is not None:
        weights.write_bytes(content)
    arguments = ["--preset", "smoke", "--out", str(tmp_path / "run"), "--recognizer", "trba"]
    monkeypatch.setattr("sys.argv", ["run", *arguments, "--recognizer-weights", str(weights)])
    assert main() == 2
    said = capsys.readouterr().err
    assert "weights.pth cannot be read" in said
    assert said.count("\n") == 1


def test_changed_weights_stop_a_sweep_before_it_starts(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "english_g2.pth").write_bytes(b"other weights")
    monkeypatch.setattr("models.recognizers.registry._english_g2_path", lambda: tmp_path / "english_g2.pth")
    monkeypatch.setattr("sys.argv", ["run", "--preset", "smoke", "--out", str(tmp_path / "run")])
    assert main() == 2
    assert "differs from the published weights" in capsys.readouterr().err
