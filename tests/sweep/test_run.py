"""Bad input to python -m sweep.run: one line, exit code 2, nothing lost; no Ray is started."""

import json
import shutil
import string
from dataclasses import replace
from pathlib import Path

import formula
import pytest
import reader
import torch
import tyro

from datagen import spec
from datagen.errors import ShardError
from datagen.spec import DatasetSpec
from models import codecs
from models.errors import ModelError, WeightsError
from models.weights import WeightsFile
from sweep import launch, presets, stages
from sweep.arguments import Arguments
from sweep.checkpoints import Store
from sweep.console import STYLE
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.points import PointTable
from sweep.progress import Display
from sweep.run import main, open_run


def opened(**given) -> RunFolder:
    return open_run(Arguments(**given))


@pytest.fixture
def started(tmp_path: Path) -> Path:
    opened(preset="smoke", out=tmp_path / "run")
    return tmp_path / "run"


def test_a_new_run_keeps_what_was_asked_for(started: Path) -> None:
    run = RunFolder.load(started)
    assert (run.preset, run.config.budget, run.config.codec) == ("smoke", 2, "small")
    assert run.data.parent == started.parent / "data"


def test_flags_override_the_preset(tmp_path: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", budget=7, codec="mbt2018-mean")
    assert (run.config.budget, run.config.codec) == (7, "mbt2018-mean")


def test_the_search_is_kept_as_it_was_asked_for(tmp_path: Path) -> None:
    line = ["--strategy", "shared", "--train-all", "--trials-per-gpu", "4", "--sampler", "gp", "--max-bpp", "0.1"]
    line += ["--vary", "steps", "30", "120", "--vary", "learning_rate", "1e-4", "1e-3", "--betas", "0.1", "0.2"]
    out = tmp_path / "run"
    open_run(tyro.cli(Arguments, args=["--preset", "smoke", "--out", str(out), *line]))
    config = RunFolder.load(out).config
    assert (config.strategy, config.early_stopping, config.gpus_per_trial) == ("shared", False, 0.25)
    assert (config.sampler, config.wishes, config.betas) == ("gp", {"max_bpp": 0.1}, (0.1, 0.2))
    assert config.vary == (("steps", 30, 120), ("learning_rate", 1e-4, 1e-3))
    opened(out=out, resume=True, train_all=True, vary=config.vary, trials_per_gpu=4)
    for given, said in (
        ({"trials_per_gpu": 2}, "another --trials-per-gpu"),
        ({"vary": config.vary[:1]}, "another --vary"),
    ):
        with pytest.raises(SweepError, match=said):
            opened(out=out, resume=True, **given)


def test_a_grid_is_its_budget(tmp_path: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", sampler="grid", betas=(0.1, 0.1), strategy="independent")
    assert run.config.budget == 2
    assert run.config.stage1.steps == presets.smoke().stage1.steps // (2 + 2)
    assert opened(out=tmp_path / "run", resume=True, sampler="grid").config == run.config
    with pytest.raises(SweepError, match="a whole grid of 2 points"):
        opened(out=tmp_path / "run", resume=True, budget=9)


def test_whole_numbers_are_resumed_as_they_were(tmp_path: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", betas=(1, 2))
    resumed = opened(out=tmp_path / "run", resume=True)
    assert stages.conditioned2(resumed.config).key == stages.conditioned2(run.config).key


def test_one_sweep_at_a_time_works_in_a_folder(started: Path) -> None:
    run = RunFolder.load(started)
    with run.claimed():
        with pytest.raises(SweepError, match="another sweep works in"), RunFolder.load(started).claimed():
            pass
        with RunFolder(started.parent, run.config, "smoke", run.data, "id", "uri").claimed():
            pass
    with run.claimed():
        pass


@pytest.mark.parametrize(("status", "said"), [(None, "no trial would have ended in time"), ("complete", "")])
def test_a_sweep_that_ran_out_of_time_is_no_failure(
    tmp_path: Path, status: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = PointTable(tmp_path)
    if status:
        table.add({"point_id": "a", "kind": "tfic", "status": status, "bpp": 0.1, "accuracy": 0.5})
    launch._judge(table, Display(presets.smoke()))
    assert said in capsys.readouterr().out
    table.add({"point_id": "a", "kind": "tfic", "status": "failed"})
    with pytest.raises(SweepError, match="every trial of stage 2 failed"):
        launch._judge(table, Display(presets.smoke()))


def test_a_data_set_of_ones_own_is_used(tmp_path: Path, data_folder: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", data=str(data_folder))
    assert run.data == data_folder
    assert run.config.data.train == 24


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"budget": 0}, "--budget 0 is below 1"),
        ({"budget": -3}, "--budget -3 is below 1"),
        ({"trials_per_gpu": 0}, "--trials-per-gpu 0 is below 1"),
        ({"vary": (("steps", 1.0, 2.0),)}, "--strategy shared or independent"),
        ({"codec": "nosuch"}, "'nosuch'.*small"),
        ({"recognizer": ("nosuch",)}, "'nosuch'.*english_g2.*trba"),
        ({"recognizer": ("trba",)}, "tps-resnet-bilstm-attn comes without weights; give --recognizer-weights"),
        ({"recognizer_weights": (Path(__file__),)}, "leave --recognizer-weights out"),
    ],
)
def test_impossible_arguments_make_no_folder(tmp_path: Path, given: dict, said: str) -> None:
    with pytest.raises((SweepError, ModelError), match=said):
        opened(preset="smoke", out=tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


def test_a_folder_without_data_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="holds no data set"):
        opened(preset="smoke", out=tmp_path / "run", data=str(tmp_path))


def test_an_existing_run_is_not_started_over(started: Path) -> None:
    before = (started / "config.json").read_bytes()
    with pytest.raises(SweepError, match="--resume"):
        opened(preset="smoke", out=started)
    assert (started / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"preset": "cpu"}, "--preset smoke"),
        ({"codec": "mbt2018-mean"}, "another --codec"),
        ({"budget": 1}, "can only grow"),
    ],
)
def test_a_run_is_not_resumed_as_another(started: Path, given: dict, said: str) -> None:
    before = (started / "config.json").read_bytes()
    with pytest.raises(SweepError, match=said):
        opened(out=started, resume=True, **given)
    assert (started / "config.json").read_bytes() == before


def test_a_run_is_not_resumed_on_other_data(started: Path, data_folder: Path) -> None:
    with pytest.raises(SweepError, match="another --data"):
        opened(out=started, resume=True, data=str(data_folder))


def test_a_larger_budget_extends_a_run(started: Path) -> None:
    before = RunFolder.load(started)
    run = opened(out=started, resume=True, budget=9)
    assert run == replace(before, config=replace(before.config, budget=9))
    assert RunFolder.load(started).config.budget == 9


def test_what_does_not_exist_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="holds no run"):
        opened(out=tmp_path / "none", resume=True)


def test_presets_draw_what_the_recognizer_knows(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    formula.checkpoint(weights, "none-rcnn-none-ctc", 37)
    asked = {"recognizer": ("none-rcnn-none-ctc",), "recognizer_weights": (weights,)}
    limited, whole = (
        opened(preset="smoke", out=tmp_path / name, **given).config.data for name, given in (("a", asked), ("b", {}))
    )
    assert isinstance(limited, DatasetSpec)
    assert limited.texts.characters == string.digits + string.ascii_uppercase + string.ascii_lowercase
    assert whole == spec.smoke()


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


def test_help_is_made_of_whole_paragraphs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tyro.cli(Arguments, args=["--help"], config=STYLE)
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "None" not in said
    assert "trained by all workers together, folded to a plain one at each trial's point. The others" in said
    assert "--resume Go on with the run" in said


def test_recognizers_are_given_one_by_one() -> None:
    line = ["--recognizer", "english_g2=0.5", "--recognizer", "mine:load", "--recognizer-weights", "a.pth"]
    arguments = tyro.cli(Arguments, args=line)
    assert arguments.recognizer == ("english_g2=0.5", "mine:load")
    assert arguments.recognizer_weights == (Path("a.pth"),)
    assert tyro.cli(Arguments, args=[]).recognizer == ()


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


def test_a_checkpoint_is_needed_until_stage_1_is_trained(tmp_path: Path, checkpoint: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", init=checkpoint)
    checkpoint.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        opened(out=tmp_path / "run", resume=True)
    Store.of(run.path).path(stages.conditioned1(run.config)).touch()
    assert opened(out=tmp_path / "run", resume=True).config == run.config


def test_what_another_run_has_trained_from_a_checkpoint_serves_the_next(tmp_path: Path, checkpoint: Path) -> None:
    config = opened(preset="smoke", out=tmp_path / "a", init=checkpoint).config
    node = stages.conditioned1(config)
    (tmp_path / "store").mkdir()
    for ending in (".pt", ".json"):
        (tmp_path / "store" / f"{node.key}{ending}").touch()
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


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SweepError, match="cannot be written"):
        opened(preset="smoke", out=tmp_path / "file" / "run")


@pytest.mark.parametrize("content", ["{", "{}", json.dumps({"sweep": {}})])
def test_a_broken_configuration_is_named(started: Path, content: str) -> None:
    (started / "config.json").write_text(content)
    with pytest.raises(SweepError, match=r"config\.json cannot be read"):
        opened(out=started, resume=True)


def test_an_error_is_one_line_and_exit_code_2(started: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["run", "--preset", "smoke", "--out", str(started)])
    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith("error:")
    assert said.count("\n") == 1


def test_changed_weights_stop_a_sweep_before_it_starts(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "english_g2.pth").write_bytes(b"other weights")
    monkeypatch.setattr("models.recognizers._english_g2_path", lambda: tmp_path / "english_g2.pth")
    monkeypatch.setattr("sys.argv", ["run", "--preset", "smoke", "--out", str(tmp_path / "run")])
    assert main() == 2
    assert "differs from the published weights" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--preset", "nosuch"], ["--budget", "many"], ["--nonsense"]])
def test_arguments_that_make_no_sense_are_exit_code_2(monkeypatch, capsys, arguments: list[str]) -> None:
    monkeypatch.setattr("sys.argv", ["run", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2


def test_help_explains_every_option(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["run", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    options = (
        "--budget",
        "--preset",
        "--out",
        "--resume",
        "--strategy",
        "--codec",
        "--init",
        "--recognizer",
        "--data",
    )
    assert all(option in said for option in options)
