import json
from dataclasses import replace
from pathlib import Path

import pytest
from runs import opened
from sqlalchemy import make_url

from sweep import presets
from sweep.errors import SweepError
from sweep.results.folder import RunFolder


def kept(run: RunFolder, uri: str) -> RunFolder:
    """The run in a store, as it is read again."""
    replace(run, tracking_uri=uri).save()
    return RunFolder.load(run.path)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    runs = tmp_path / "project" / "runs"
    run = RunFolder(runs / "smoke", presets.smoke(), "smoke", runs / "data" / "images", "id", "sqlite:////mlflow.db")
    run.create()
    return run


@pytest.mark.parametrize("name", ["moved", "with a % and a ?"])
def test_a_project_moves_with_its_data_and_its_mlflow_store(run: RunFolder, tmp_path: Path, name: str) -> None:
    kept(run, f"sqlite:///{tmp_path / 'project' / 'mlflow.db'}?timeout=9")
    (tmp_path / "project").rename(tmp_path / name)
    moved = RunFolder.load(tmp_path / name / "runs" / "smoke")
    database = make_url(moved.tracking_uri)
    assert (database.database, database.query) == (str(tmp_path / name / "mlflow.db"), {"timeout": "9"})
    assert moved.data.parent == tmp_path / name / "runs" / "data"


def test_a_store_named_from_the_working_directory_is_found_from_another(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = kept(run, "sqlite:///mlflow.db")
    monkeypatch.chdir("/")
    assert RunFolder.load(run.path) == saved
    assert saved.tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


@pytest.mark.parametrize("uri", ["http://server:5000", "postgresql://user@host/db", "sqlite:///:memory:", "uri"])
def test_another_store_is_kept_as_it_is_named(run: RunFolder, uri: str) -> None:
    assert kept(run, uri).tracking_uri == uri


def test_an_absolute_store_of_an_older_run_is_read(run: RunFolder) -> None:
    file = run.path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"tracking_uri": "sqlite:////older/mlflow.db"}))
    assert RunFolder.load(run.path).tracking_uri == "sqlite:////older/mlflow.db"


def test_a_run_is_resumed_in_the_store_that_is_asked_for(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert opened(out=run.path, resume=True).tracking_uri == run.tracking_uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert opened(out=run.path, resume=True).tracking_uri == "http://server:5000"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert opened(out=run.path, resume=True).tracking_uri == "http://server:5000"


def test_a_run_whose_strategy_cannot_do_what_is_asked_for_is_refused(run: RunFolder) -> None:
    replace(run, config=replace(run.config, strategy="shared", polish_steps=1)).save()
    with pytest.raises(
        SweepError, match="--polish-steps 1: 0 or more, and more than 0 with --strategy conditional alone"
    ):
        RunFolder.load(run.path)
