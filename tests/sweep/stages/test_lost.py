"""A run that has lost checkpoints: what it makes again, and what its commands say meanwhile."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from sweep import pick, plan
from sweep.config import StageConfig, override
from sweep.errors import SweepError
from sweep.presets import smoke
from sweep.reporting import contents, figures, pictures
from sweep.results import export
from sweep.results.folder import RunFolder
from sweep.results.point import Point, RatePoint
from sweep.results.points import PointTable
from sweep.stages import tree
from sweep.stages.store import Store
from sweep.trials.target import Target

BASES = (Target("base", smoke().search.lambdas[0]), Target("base", smoke().search.lambdas[1]))
TRIAL = Target("tfic", 0.01, 0.02, origins=((0.005, 0.01), (0.007, 0.01)))


@pytest.fixture
def run(tmp_path: Path, data_folder: Path, spec: DatasetSpec) -> RunFolder:
    """Two base points and a trial that came from others, all measured and with their checkpoints."""
    config = replace(smoke(), data=spec, strategy="continued", stage1=StageConfig(steps=2))
    run = RunFolder(tmp_path / "runs" / "run", config, "smoke", data_folder, "id", "uri")
    run.create()
    table = PointTable(run.path)
    codec = codecs.build("small").eval()
    codec.update_tables()
    for number, target in enumerate((*BASES, TRIAL), 1):
        node, identity = target.node(config), target.identity(config)
        assert node is not None
        file = run.path / "checkpoints" / f"{node.key}.pt"
        torch.save(codec.state_dict(), file)
        file.with_suffix(".json").write_text(json.dumps(asdict(node)))
        measured = RatePoint(number / 10, 0.5, cer=0.6, ocr_ms=9.0, ocr_ms_std=1.0)
        kept = f"checkpoints/{file.name}"
        table.add(Point(identity=identity, status="complete", test=measured, checkpoint=kept))
    return run


def checkpoint(run: RunFolder, target: Target) -> Path:
    return run.path / "checkpoints" / f"{target.identity(run.config).point_id}.pt"


def test_points_are_made_again_where_their_checkpoints_are_lost(run: RunFolder) -> None:
    table = PointTable(run.path)
    kept = [target.kind for target in plan.targets(run, table)]
    assert (kept.count("base"), plan.lost(run, table)) == (0, [])
    for target in (BASES[0], TRIAL):
        checkpoint(run, target).unlink()
    assert [target for target in plan.targets(run, table) if target.kind == "base"] == [BASES[0]]
    assert plan.lost(run, table) == [TRIAL]


def test_a_trial_with_settings_of_its_own_is_known_by_its_row() -> None:
    config = override(smoke(), strategy="shared", vary=(("steps", 5, 10), ("learning_rate", 0.01, 1)))
    target = Target("tfic", config.search.lambdas[0], 0.02, varied=(("steps", 7), ("learning_rate", 0.1)))
    assert Target.of(target.identity(config), config, ()) == target


def test_the_front_is_repeated_from_another_seed_until_that_is_done(run: RunFolder) -> None:
    table, again = PointTable(run.path), replace(TRIAL, seed=7)
    assert plan.repetitions(run, table, 7) == [again]
    node, identity = again.node(run.config), again.identity(run.config)
    assert node is not None
    assert (node.seed, identity.seed) == (7, 7)
    assert identity.point_id != TRIAL.identity(run.config).point_id
    assert Target.of(identity, run.config, TRIAL.origins) == again
    shutil.copy(checkpoint(run, TRIAL), checkpoint(run, again))
    measured = RatePoint(0.3, 0.4, cer=0.6)
    table.add(Point(identity=identity, status="complete", test=measured, checkpoint="checkpoints/x.pt"))
    assert plan.repetitions(run, table, 7) == []
    assert [point.identity.seed for point in plan.searched(run.config, table)] == [run.config.seed]


def test_the_stores_copy_takes_the_place_of_a_lost_checkpoint(run: RunFolder) -> None:
    (run.path.parent / "store").mkdir()
    lost = checkpoint(run, TRIAL)
    shutil.move(lost, run.path.parent / "store" / lost.name)
    [point] = PointTable(run.path).of("tfic")
    assert plan.lost(run, PointTable(run.path)) == []
    assert isinstance(export.codec(Store.of(run.path), point), torch.nn.Module)


def test_a_report_is_drawn_without_the_picture_of_a_lost_codec(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint(run, TRIAL).write_bytes(b"damaged")
    found = contents.load(run)
    found = replace(found, frame=found.frame.with_columns(on_front=True))
    drawn = figures.reconstructions_figure(found, pictures.of_run(found))
    titles = [axes.get_title() for axes in drawn.axes if axes.get_title()]
    assert titles == ["original", "base, 0.100 bpp", "base, 0.200 bpp"]
    assert f"the reconstructions of {TRIAL.identity(run.config).point_id} are not drawn" in caplog.text
    assert f"sweep.run --resume --out {run.path}" in caplog.text


def test_a_dial_of_an_unfinished_run_costs_the_store_nothing(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conditional = replace(run, config=replace(run.config, strategy="conditional"))
    conditional.save()
    node = tree.conditioned1(conditional.config)
    (run.path.parent / "store").mkdir()
    shared = run.path.parent / "store" / f"{node.key}.pt"
    torch.save(node.build().state_dict(), shared)
    before = shared.read_bytes()
    monkeypatch.setattr("sys.argv", ["pick", str(run.path), "--dial", "--out", "dial.pt"])
    assert pick.main() == 2
    said = capsys.readouterr().err
    assert "no codec after stage 2 yet" in said
    assert said.count("\n") == 1
    assert shared.read_bytes() == before


def test_a_lost_point_is_not_exported(run: RunFolder) -> None:
    checkpoint(run, TRIAL).unlink()
    [point] = PointTable(run.path).of("tfic")
    with pytest.raises(SweepError, match="is lost"):
        export.trained(run, point)
