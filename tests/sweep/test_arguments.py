"""What the command line of a sweep takes, and what it says."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import tyro
from runs import opened

import datagen.__main__
import models.__main__
from models.errors import ModelError
from sweep import pick, simulate
from sweep.arguments import Arguments
from sweep.console import STYLE
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.run import main, open_run
from sweep.stages.store import Store


def test_flags_override_the_preset(tmp_path: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", budget=7, codec="mbt2018-mean")
    assert (run.config.search.budget, run.config.codec) == (7, "mbt2018-mean")


def test_the_search_is_kept_as_it_was_asked_for(tmp_path: Path) -> None:
    line = ["--strategy", "shared", "--train-all", "--trials-per-gpu", "4", "--sampler", "gp", "--max-bpp", "0.1"]
    line += ["--vary", "steps", "30", "120", "--vary", "learning_rate", "1e-4", "1e-3", "--betas", "0.1", "0.2"]
    out = tmp_path / "run"
    open_run(tyro.cli(Arguments, args=["--preset", "smoke", "--out", str(out), *line]))
    config = RunFolder.load(out).config
    assert (config.strategy, config.search.early_stopping, config.resources.gpus_per_trial) == ("shared", False, 0.25)
    assert (config.search.sampler, config.search.constraints, config.search.betas) == (
        "gp",
        {"max_bpp": 0.1},
        (0.1, 0.2),
    )
    assert config.search.vary == (("steps", 30, 120), ("learning_rate", 1e-4, 1e-3))
    opened(out=out, resume=True, train_all=True, vary=config.search.vary, trials_per_gpu=4)
    with pytest.raises(SweepError, match="another --vary"):
        opened(out=out, resume=True, vary=config.search.vary[:1])


def test_a_resumed_sweep_may_use_other_machines(tmp_path: Path) -> None:
    opened(preset="smoke", out=tmp_path / "run", trials_per_gpu=4)
    resumed = opened(out=tmp_path / "run", resume=True, trials_per_gpu=2)
    assert resumed.config.resources.gpus_per_trial == 0.5


def test_steps_lambdas_and_seed_are_taken_exactly(tmp_path: Path) -> None:
    line = ["--steps", "70", "300", "--lambdas", "0.01", "0.1", "0.01", "--seed", "3", "--strategy", "shared"]
    out = ["--out", str(tmp_path / "run")]
    config = open_run(tyro.cli(Arguments, args=["--preset", "smoke", *out, *line])).config
    assert (config.stage1.steps, config.stage2.steps) == (70, 300)
    assert (config.search.lambdas, config.seed) == ((0.1, 0.01), 3)
    assert open_run(tyro.cli(Arguments, args=["--resume", *out, *line])).config == config
    for option, value in (("--steps", ("70", "30")), ("--lambdas", ("0.1",)), ("--seed", ("4",))):
        with pytest.raises(SweepError, match=f"another {option}"):
            open_run(tyro.cli(Arguments, args=["--resume", *out, option, *value]))


@pytest.mark.parametrize(
    ("given", "unsized"),
    [
        ({}, False),
        ({"hours": 1.0}, True),
        ({"hours": 1.0, "steps": (5, 5)}, False),
        ({"hours": 1.0, "vary": (("steps", 5.0, 9.0),), "strategy": "shared"}, False),
    ],
)
def test_steps_follow_from_the_hours_of_a_new_run_where_nothing_else_says_them(
    given: dict, unsized: bool, tmp_path: Path
) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", **given)
    assert (run.unsized, RunFolder.load(run.path).unsized) == (unsized, unsized)
    assert ("stage1_steps" in run.parameters()) != unsized
    # It was stopped before it was sized; once it is, hours change nothing.
    assert opened(out=run.path, resume=True).unsized == unsized
    replace(run, unsized=False).save()
    assert not opened(out=run.path, resume=True, hours=9.0).unsized


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": (0, 5)}, "--steps 0 5: each stage needs one step or more"),
        ({"lambdas": (0.1, -0.1)}, "lowest_lambda=-0.1 must be a number above 0"),
        ({"seed": -1}, "seed=-1 must be a number, 0 or more"),
        ({"budget": 0}, "--budget 0 is below 1"),
        ({"budget": -3}, "--budget -3 is below 1"),
        ({"trials_per_gpu": 0}, "--trials-per-gpu 0 is below 1"),
        ({"vary": (("steps", 1.0, 2.0),)}, "--strategy shared or independent"),
        ({"vary": (("steps", 0.1, 5.0),), "strategy": "shared"}, "--vary steps 0.1 5 must be whole numbers"),
        ({"vary": (("steps", 1.0, math.inf),), "strategy": "shared"}, "--vary steps 1 inf must be a positive rising"),
        ({"vary": (("learning_rate", math.nan, 1.0),), "strategy": "shared"}, "--vary learning_rate nan 1 must"),
        ({"vary": (("steps", 1.0, 2.0),), "strategy": "shared", "sampler": "grid"}, "leave --vary out"),
        ({"vary": (("steps", 1.0, 2.0), ("steps", 3.0, 4.0)), "strategy": "shared"}, "twice: steps, steps"),
        ({"betas": (0.1, math.inf)}, "--betas 0.1 inf must be a positive rising pair"),
        ({"betas": (math.nan, 0.1)}, "--betas nan 0.1 must"),
        ({"betas": (0.0, 0.1)}, "--betas 0 0.1 must"),
        ({"min_accuracy": 85.0}, "--min-accuracy 85 is above 1"),
        ({"min_accuracy": math.nan}, "--min-accuracy nan must be a number above 0"),
        ({"max_bpp": math.nan}, "--max-bpp nan must be a number above 0"),
        ({"max_bpp": -0.1}, "--max-bpp -0.1 must be a number above 0"),
        ({"min_psnr": math.inf}, "--min-psnr inf must be a number above 0"),
        ({"max_bpp": 0.1, "sampler": "grid"}, "bounds need tpe, gp or nsga2"),
        ({"polish_steps": -1}, "--polish-steps -1: 0 or more"),
        ({"polish_steps": 1, "strategy": "shared"}, "with --strategy conditional alone"),
        ({"recognizer": ("english_g2=nan",)}, "english_g2=nan: a weight must be a number above 0"),
        ({"betas": (0.1, math.inf), "data": "s3://no-such-store/data"}, "--betas 0.1 inf"),
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


@pytest.mark.parametrize("hours", ["nan", "inf", "-1", "0"])
def test_no_time_at_all_makes_no_folder(tmp_path: Path, hours: str, monkeypatch, capsys) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr("sys.argv", ["run", "--preset", "smoke", "--out", str(out), "--hours", hours])
    assert main() == 2
    assert f"--hours {hours} must be a number above 0; leave it out for no limit" in capsys.readouterr().err
    assert not out.exists()


def test_an_address_of_no_store_makes_no_folder(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for command, arguments in (
        (main, ["--preset", "smoke", "--out", "nonsense://bucket/run"]),
        (datagen.__main__.main, ["--preset", "smoke", "--out", "nonsense://bucket/data"]),
        (datagen.__main__.main, ["import", "images", "--out", "nonsense://bucket/data"]),
    ):
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        assert command() == 2
        assert f"{arguments[-1]} cannot be opened" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", [".", "../run", "run"])
def test_a_run_shares_with_those_beside_it_from_wherever_it_is_started(out: str, tmp_path: Path, monkeypatch) -> None:
    """Workers run in folders of their own."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path if out == "run" else tmp_path / "run")
    run = opened(preset="smoke", out=Path(out))
    assert run.path == tmp_path / "run"
    assert run.data.parent == tmp_path / "data"
    for found in (run, RunFolder.load(Path(out)), opened(out=Path(out), resume=True)):
        assert Store.of(found.path).shared == tmp_path / "store"


@pytest.mark.parametrize("bpp", ["nan", "inf", "0", "-1"])
def test_a_rate_is_a_number_above_0(bpp: str, tmp_path: Path, monkeypatch, capsys) -> None:
    """Every rate is below NaN, to polars and to a comparison that fails."""
    for command, arguments in (
        (pick.main, [str(tmp_path), "--max-bpp", bpp, "--out", "model.pt"]),
        (models.__main__.main, ["compress", "a.png", "a.tfic", "--model", "model.pt", "--bpp", bpp]),
    ):
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        assert command() == 2
        assert f"bpp {bpp} must be a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--budget", "0", "--budget 0 is below 1"),
        ("--workers", "0", "--workers 0 is below 1"),
        ("--hours", "nan", "--hours nan must be a number above 0"),
        ("--image-ms", "nan", "--image-ms nan must be a number above 0"),
        ("--image-ms", "-5", "--image-ms -5 must be a number above 0"),
        ("--failures", "nan", "--failures nan must be a share"),
        ("--failures", "1.5", "--failures 1.5 must be a share"),
        ("--seed", "-1", "seed=-1 must be a number, 0 or more"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused(option: str, value: str, said: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["simulate", "--preset", "smoke", option, value])
    assert simulate.main() == 2
    assert said in capsys.readouterr().err


def test_photos_that_are_not_drawn_are_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    out = tmp_path / "data"
    arguments = ["--preset", "smoke", "--out", str(out), "--photos", str(tmp_path), "--backgrounds", "plain"]
    monkeypatch.setattr("sys.argv", ["datagen", *arguments])
    assert datagen.__main__.main() == 2
    assert "name photo among the --backgrounds" in capsys.readouterr().err
    assert not out.exists()


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
