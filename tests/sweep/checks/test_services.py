"""MLflow, as a sweep would write to it."""

import sqlite3
from pathlib import Path

import pytest

from sweep.checks import services


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    return tmp_path / "mlflow.db"


def test_a_file_that_is_not_there_is_not_made(file: Path) -> None:
    found = services.mlflow()
    assert (found.status, "is new" in found.found, file.exists()) == ("ok", True, False)


def test_a_file_is_looked_into(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("create table runs (run_uuid text)")
        database.execute("insert into runs values ('a')")
    assert services.mlflow().found.endswith("answers, with 1 runs")
    file.write_bytes(b"no database" * 1000)
    assert services.mlflow().status == "FAIL"


def test_a_server_that_is_not_there_is_told_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    found = services.mlflow()
    assert (found.status, found.found.partition(" ")[0]) == ("FAIL", "http://…@127.0.0.1:9")
    assert "secret" not in str(found)
