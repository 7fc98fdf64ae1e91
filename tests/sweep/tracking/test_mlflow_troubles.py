"""Runs that were deleted, answers that were lost, entries that are refused."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tracked import IDENTITY, POINT, PROGRESS, Sweep, runs

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_a_run_that_was_deleted_meanwhile_is_written_anew(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-k", tmp_path)
    deleted = sweep.point(POINT)
    MlflowClient(store).delete_run(deleted)
    assert sweep.point(POINT) != deleted


@pytest.mark.parametrize("resumed", [False, True])
def test_a_parent_that_was_deleted_in_the_page_comes_back_with_its_points(
    store: str, tmp_path: Path, resumed: bool
) -> None:
    name = f"sweep-l-{resumed}"
    sweep = Sweep(store, name, tmp_path)
    sweep.point(POINT)
    MlflowClient(store).delete_run(sweep.parent_id)
    if resumed:
        sweep = Sweep(store, name, tmp_path)
    sweep.tracker.log_metrics({"hypervolume": 0.3}, 1)
    sweep.point(replace(POINT, identity=replace(IDENTITY, point_id="def")))
    assert _parents_of_points(store, name) == {sweep.parent_id}
    assert MlflowClient(store).get_run(sweep.parent_id).data.metrics == {"hypervolume": 0.3}


def test_points_of_a_parent_that_is_gone_for_good_have_the_new_one(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-m", tmp_path)
    sweep.point(POINT)
    MlflowClient(store)._tracking_client.store._hard_delete_run(sweep.parent_id)
    new = Sweep(store, "sweep-m", tmp_path).parent_id
    assert new != sweep.parent_id
    assert _parents_of_points(store, "sweep-m") == {new}


def _parents_of_points(store: str, sweep_id: str) -> set[str]:
    """Those that stand in the page."""
    tags = [run.data.tags for run in runs(store, sweep_id)]
    return {run["mlflow.parentRunId"] for run in tags if "mlflow.parentRunId" in run}


@contextmanager
def silent_server() -> Iterator[str]:
    """One that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_sweep_does_not_wait_for_a_server_that_never_answers(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    sweep = Sweep(store, "sweep-j", tmp_path)
    sweep.settle()
    with silent_server() as uri:
        here, sweep.tracker._runs._client = sweep.tracker._runs._client, MlflowClient(uri)
        started = time.monotonic()
        for number in range(30):
            sweep.tracker.log_progress(IDENTITY, PROGRESS._replace(step=number))
        sweep.tracker.log_point(POINT)
        assert time.monotonic() - started < 0.5
        sweep.tracker.settle(60)
        assert 2 <= time.monotonic() - started < 30
    fails, lacks = sweep.said
    assert "Max retries" in fails or "timed out" in fails
    assert "lacks 31 entries" in lacks
    assert "--resume" in lacks
    sweep.tracker._runs._client = here
    later = Sweep(store, "sweep-j", tmp_path)
    later.settle()
    history = MlflowClient(store).get_metric_history(later.logged["abc"], "train/total")
    assert [metric.step for metric in history] == [*range(30)]


def test_a_request_that_arrived_though_its_answer_did_not_is_not_made_twice(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-n", tmp_path)
    sweep.settle()
    client = sweep.tracker._runs._client
    for name in ("create_run", "log_batch", "set_terminated"):
        setattr(client, name, _answer_lost(getattr(client, name)))
    sweep.tracker.log_progress(IDENTITY, PROGRESS)
    sweep.tracker.log_point(POINT)
    for _ in range(8):
        sweep.tracker.settle(20)
    assert sweep.logged.keys() == {"abc"}
    assert len(runs(store, "sweep-n")) == 2
    for name in ("train/total", "bpp"):
        assert len(MlflowClient(store).get_metric_history(sweep.logged["abc"], name)) == 1


def test_a_mistake_of_ours_is_not_told_as_mlflows(store: str, tmp_path: Path) -> None:
    def mistaken(point_id: str, run_id: str) -> None:
        raise KeyError(point_id)

    sweep = Sweep(store, "sweep-mistaken", tmp_path)
    sweep.settle()
    sweep.tracker._logged = mistaken
    sweep.tracker.log_point(POINT)
    with pytest.raises(KeyError, match="abc"):
        sweep.tracker.settle(20)
    assert sweep.said == []


def _answer_lost(method):
    """Does its work, and fails all the same, the first time that it is called with these arguments."""
    seen = []

    def called(*args, **kwargs):
        answer = method(*args, **kwargs)
        if repr((args, kwargs)) not in seen:
            seen.append(repr((args, kwargs)))
            raise ConnectionError("no answer")
        return answer

    return called


def test_of_two_runs_that_late_requests_made_for_a_point_one_is_kept(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-o", tmp_path)
    run_id = sweep.point(POINT)
    tags = {"tfic.sweep_id": "sweep-o", "tfic.point_id": "abc", "mlflow.parentRunId": sweep.parent_id}
    MlflowClient(store).create_run(sweep.tracker._runs._experiment, tags=tags)
    sweep.tracker.finish("FINISHED")
    sweep.settle()
    assert {run.info.run_id for run in runs(store, "sweep-o")} == {run_id, sweep.parent_id}


def test_an_entry_that_mlflow_refuses_is_said_and_left_out(store: str, tmp_path: Path) -> None:
    sweep = Sweep(store, "sweep-p", tmp_path)
    sweep.tracker.log_file(tmp_path / "missing.png")
    sweep.tracker.log_metrics({"hypervolume": 0.3}, 1)
    sweep.tracker.settle(20)
    [line] = sweep.said
    assert "refuses" in line
    assert MlflowClient(store).get_run(sweep.parent_id).data.metrics == {"hypervolume": 0.3}
