"""python -m sweep.doctor, on this machine and on a cluster of two nodes."""

from pathlib import Path

import pytest
from commands import completed

from sweep.doctor import main


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    monkeypatch.setattr("sys.argv", ["doctor", *arguments])
    return main(), capsys.readouterr().out.splitlines()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_this_machine_is_checked_in_a_line_each(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(monkeypatch, capsys, "--address", "local", "--out", "runs/mine")
    checks = [line.split()[1] for line in lines]
    named = ["preset", "versions", "cores", "memory", "GPU", "bfloat16", "disk", "recognizer", "store", "MLflow"]
    assert list(dict.fromkeys(checks)) == named
    assert code == any(line.startswith("FAIL") for line in lines)
    assert not list(place.iterdir())


def test_what_fails_is_told_and_the_rest_is_checked_all_the_same(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, lines = run(monkeypatch, capsys, "--address", "local", "--out", "file/runs")
    assert code == 1
    assert {"store", "MLflow"} <= {line.split()[1] for line in lines if line.startswith("FAIL")}
    assert any(line.split()[1] == "recognizer" for line in lines)


def test_a_cluster_that_does_not_answer_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(monkeypatch, capsys, "--address", "127.0.0.1:9")
    assert code == 1
    assert lines[0].startswith("FAIL  cluster     no Ray cluster answers at 127.0.0.1:9 ")


def test_a_recognizer_that_nobody_knows_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, "--recognizer", "unheard-of") == (2, [])


@pytest.mark.slow
def test_all_nodes_are_checked_and_choose_the_preset(tmp_path: Path) -> None:
    """The head has no GPU; the other node has one, as Ray counts them."""
    code, said, complained = completed(tmp_path, "check_cluster.py", "runs")
    lines = [line for line in said.splitlines() if line.startswith(("ok", "warn", "FAIL"))]
    assert any(line.startswith("ok    versions    equal on all 2 nodes") for line in lines), (said, complained[-2000:])
    assert any(line.startswith("ok    store       ") for line in lines)
    assert any(line.startswith("ok    recognizer  all 2 nodes") for line in lines)
    assert code == any(line.startswith("FAIL") for line in lines)
    assert "answers dict_values([2, 2]) {} {} dict_values([" in said
    assert said.count("invalid literal") == 2
    assert "has 1 GPU" in next(line for line in lines if line.startswith("ok    preset      paper"))
    assert "told: preset paper: the cluster at " in said
