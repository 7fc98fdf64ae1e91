"""Bad input to python -m sweep.run: one line, exit code 2, nothing lost; no Ray is started."""

import json
import string
from dataclasses import replace
from pathlib import Path

import formula
import pytest
from filelock import Timeout
from rows import point
from runs import opened

from datagen import spec
from datagen.errors import ShardError
from datagen.spec import DatasetSpec
from sweep import phases, presets, versions
from sweep.config import override
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.results.points import PointTable
from sweep.run import main
from sweep.stages import tree
from sweep.tracking.display import Display


@pytest.fixture
def started(tmp_path: Path) -> Path:
    opened(preset="smoke", out=tmp_path / "run")
    return tmp_path / "run"


def test_a_new_run_keeps_what_was_asked_for(started: Path) -> None:
    run = RunFolder.load(started)
    assert (run.preset, run.config.search.budget, run.config.codec) == ("smoke", 2, "small")
    assert run.data.parent == started.parent / "data"


def test_a_grid_is_its_budget(tmp_path: Path) -> None:
    one = {"sampler": "grid", "betas": (0.1, 0.1), "strategy": "independent", "from_scratch": True}
    run = opened(preset="smoke", out=tmp_path / "run", **one)
    assert run.config.search.budget == 2
    assert run.config.stage1.steps == presets.smoke().stage1.steps // (2 + 2)
    assert opened(out=tmp_path / "run", resume=True, sampler="grid").config == run.config
    assert opened(out=tmp_path / "run", resume=True, budget=9).config == run.config
    opened(preset="smoke", out=tmp_path / "square", sampler="grid", budget=5)
    assert opened(out=tmp_path / "square", resume=True, budget=5).config.search.budget == 4
    with pytest.raises(SweepError, match="a whole grid of 4 points"):
        opened(out=tmp_path / "square", resume=True, budget=9)


def test_one_beta_gives_each_shared_stage_one_point_however_often_it_is_resumed(tmp_path: Path) -> None:
    wanted = {"out": tmp_path / "run", "strategy": "shared", "betas": (0.1, 0.1), "budget": 9}
    assert opened(preset="smoke", **wanted).config.search.budget == 2
    assert opened(resume=True, **wanted).config.search.budget == 2


def test_whole_numbers_are_resumed_as_they_were(tmp_path: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", betas=(1, 2))
    resumed = opened(out=tmp_path / "run", resume=True)
    assert tree.conditioned2(resumed.config).key == tree.conditioned2(run.config).key


def test_one_sweep_at_a_time_works_in_a_folder(started: Path) -> None:
    run = RunFolder.load(started)
    with run.claimed():
        with pytest.raises(SweepError, match="another sweep works in"), RunFolder.load(started).claimed():
            pass
        with RunFolder(started.parent, run.config, "smoke", run.data, "id", "uri").claimed():
            pass
    with run.claimed():
        pass


def test_a_lock_that_is_missed_within_the_block_is_not_called_another_sweep(started: Path) -> None:
    with pytest.raises(Timeout), RunFolder.load(started).claimed():
        raise Timeout("a store's lock")


def test_a_sweep_that_is_refused_has_written_nothing(
    started: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (started / "config.json").read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
    monkeypatch.setattr("sys.argv", ["run", "--resume", "--out", str(started), "--budget", "9"])
    with RunFolder.load(started).claimed():
        assert main() == 2
    assert "another sweep works in" in capsys.readouterr().err
    assert (started / "config.json").read_bytes() == before


def test_the_second_of_two_sweeps_that_start_one_run_is_refused(started: Path) -> None:
    run = RunFolder.load(started)
    (started / "config.json").unlink()
    with run.claimed(), pytest.raises(SweepError, match="another sweep works in"):
        run.create()
    assert not (started / "config.json").exists()


@pytest.mark.parametrize(("status", "said"), [(None, "no trial would have ended in time"), ("complete", "")])
def test_a_sweep_that_ran_out_of_time_is_no_failure(
    tmp_path: Path, status: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = PointTable(tmp_path)
    if status:
        table.add(point(point_id="a", kind="tfic", status=status, bpp=0.1, accuracy=0.5))
    phases.judge(table, Display(presets.smoke()))
    assert said in capsys.readouterr().out
    table.add(point(point_id="a", kind="tfic", status="failed"))
    with pytest.raises(SweepError, match="every trial of stage 2 failed"):
        phases.judge(table, Display(presets.smoke()))


def test_a_data_set_of_ones_own_is_used(tmp_path: Path, data_folder: Path) -> None:
    run = opened(preset="smoke", out=tmp_path / "run", data=str(data_folder))
    assert run.data == data_folder
    assert run.config.data.train == 24


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


@pytest.mark.parametrize(
    ("name", "strategy", "refused"),
    [
        ("training", "conditional", True),
        ("renderer", "conditional", True),
        ("small", "conditional", True),
        ("conditioning", "conditional", True),
        ("conditioning", "shared", False),
        ("elic", "conditional", False),
    ],
)
def test_a_run_is_not_resumed_by_code_that_computes_something_else(
    tmp_path: Path, name: str, strategy: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(preset="smoke", out=tmp_path / "run", strategy=strategy)
    before = (tmp_path / "run" / "config.json").read_bytes()
    monkeypatch.setitem(versions.TABLE, name, versions.TABLE[name]._replace(number=99))
    if not refused:
        opened(out=tmp_path / "run", resume=True)
        return
    with pytest.raises(SweepError, match=f"a release with another {'codec' if name == 'small' else name}; finish it"):
        opened(out=tmp_path / "run", resume=True, budget=9)
    assert (tmp_path / "run" / "config.json").read_bytes() == before


def test_a_run_from_before_there_were_versions_is_not_resumed(started: Path) -> None:
    content = json.loads((started / "config.json").read_text())
    del content["versions"]
    (started / "config.json").write_text(json.dumps(content))
    with pytest.raises(SweepError, match="started by an older release"):
        opened(out=started, resume=True)


def test_a_run_is_not_resumed_on_other_data(started: Path, data_folder: Path) -> None:
    with pytest.raises(SweepError, match="another --data"):
        opened(out=started, resume=True, data=str(data_folder))


def test_a_larger_budget_extends_a_run(started: Path) -> None:
    before = RunFolder.load(started)
    run = opened(out=started, resume=True, budget=9)
    assert run == replace(before, config=override(before.config, budget=9))
    assert RunFolder.load(started).config.search.budget == 9


def test_a_run_that_does_not_exist_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="holds no run"):
        opened(out=tmp_path / "none", resume=True)


def test_presets_draw_what_the_recognizer_knows(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    formula.checkpoint(weights, "none-rcnn-none-ctc", 37)
    overrides = {"recognizer": ("none-rcnn-none-ctc",), "recognizer_weights": (weights,)}
    limited, whole = (
        opened(preset="smoke", out=tmp_path / name, **given).config.data
        for name, given in (("a", overrides), ("b", {}))
    )
    assert isinstance(limited, DatasetSpec)
    assert limited.texts.characters == string.digits + string.ascii_uppercase + string.ascii_lowercase
    assert whole == spec.smoke()


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
