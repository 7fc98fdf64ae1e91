"""A store follows a run's folder: a real S3, of moto's, that may fail."""

import time
from collections.abc import Generator
from pathlib import Path

import pytest
from buckets import BUCKET, Failing, Failure, served

from datagen.remote import Remote
from sweep.errors import SweepError
from sweep.results import following
from sweep.results.mirror import Mirror

ADDRESS = f"s3://{BUCKET}/runs/one"
NOT_OURS = ("tune/trial/params.json", "tune/lock", "tune/stop")
"""What Ray notes down, and what is of one machine alone."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Generator[Failing]:
    with served(monkeypatch) as app:
        yield app


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "here" / "runs" / "one"
    ours = ("config.json", "checkpoints/a.pt", "tune/optuna.log", "tune/readings/a.parquet", "tune/mlflow/1.json")
    for name in (*ours, *NOT_OURS, ".config.1.partial"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 1000)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "there").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "there")
    return following.here(Path(ADDRESS)).absolute()


@pytest.mark.usefixtures("store")
def test_another_machine_finds_what_was_worked_on_here(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with following.kept(run, ADDRESS, pytest.fail):
        (run / "points.parquet").write_bytes(b"1")
    there = elsewhere(tmp_path, monkeypatch)
    assert there == tmp_path / "there" / "runs" / "one"
    assert files(there) == {name: content for name, content in files(run).items() if name not in NOT_OURS}
    with following.kept(there, ADDRESS, pytest.fail):
        (there / "points.parquet").write_bytes(b"2")
        (there / "checkpoints" / "a.pt").unlink()
    Mirror(run, ADDRESS).pull()
    assert (run / "points.parquet").read_bytes() == b"2"
    assert "checkpoints/a.pt" not in Remote.of(ADDRESS).names()


@pytest.mark.usefixtures("store")
def test_what_is_newer_here_is_not_overwritten(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Mirror(run, ADDRESS).push(at_work=False)
    (run / "config.json").write_bytes(b"newer")
    Mirror(run, ADDRESS).pull()
    assert (run / "config.json").read_bytes() == b"newer"


@pytest.mark.usefixtures("store")
def test_a_folder_of_another_run_is_not_overwritten(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Mirror(run, ADDRESS).push(at_work=False)
    other = tmp_path / "there" / "runs" / "one" / "config.json"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    with pytest.raises(SweepError, match="is no copy of s3://bucket/runs/one"):
        elsewhere(tmp_path, monkeypatch)
    assert other.read_text() == "mine"


@pytest.mark.usefixtures("store")
def test_of_two_sweeps_on_one_run_the_second_is_refused(run: Path, tmp_path: Path) -> None:
    Mirror(run, ADDRESS).push(at_work=True)
    with (
        pytest.raises(SweepError, match="another sweep works on s3://bucket/runs/one"),
        following.kept(run, ADDRESS, pytest.fail),
    ):
        pytest.fail("it was let in")
    Mirror(run, ADDRESS).push(at_work=False)
    with following.kept(run, ADDRESS, pytest.fail):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["error", "cut"])
def test_what_a_store_has_missed_is_copied_when_it_answers_again(
    failure: Failure, store: Failing, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SECONDS", 0.05)
    Mirror(run, ADDRESS).push(at_work=False)
    said: list[str] = []
    with following.kept(run, ADDRESS, said.append):
        store.failure = failure
        (run / "config.json").write_bytes(b"new" * 1_000_000)
        while not said:
            time.sleep(0.05)
        # Not half of it, whatever has arrived of the rest.
        found = Remote.of(ADDRESS).read("config.json")
        store.failure = None
    assert found == b"config.json" * 1000
    assert ["does not answer" in line for line in said] == [True, False]
    assert said[1] == f"{ADDRESS} answers again, and has all"
    assert Remote.of(ADDRESS).read("config.json") == b"new" * 1_000_000


def test_a_store_that_is_not_there_ends_a_sweep_before_it_begins(run: Path, store: Failing) -> None:
    with (
        pytest.raises(SweepError, match=r"s3://nobody/runs/one does not answer, or not to you: .*nobody"),
        following.kept(run, "s3://nobody/runs/one", pytest.fail),
    ):
        pytest.fail("it began")


def test_a_path_is_a_path(run: Path) -> None:
    assert following.here(run) == run
    with following.kept(run, None, pytest.fail):
        pass
    assert not (run / ".mirror.json").exists()
