"""What the command line of a sweep takes, and what it says."""

from pathlib import Path

import pytest
import tyro
from runs import opened

from models.errors import ModelError
from sweep.arguments import Arguments
from sweep.console import STYLE
from sweep.errors import SweepError
from sweep.folder import RunFolder
from sweep.run import main, open_run


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
