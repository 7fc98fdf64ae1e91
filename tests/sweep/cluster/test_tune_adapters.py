"""What becomes of trials, without Ray: Tune's events as they come."""

from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from ray.tune.experiment import Trial
from rows import point
from searches import states

from sweep import run_log
from sweep.cluster.tune_adapters import INTERRUPTED, MESSAGE, Failures, FrontStoppingScheduler, Relay, TuneSearch
from sweep.config import override
from sweep.presets import smoke
from sweep.results.pareto import Objectives
from sweep.results.point import Identity, Point, ValidationMetrics
from sweep.search import proposals
from sweep.search.front_search import FrontSearch
from sweep.search.study import memory
from sweep.stages.store import Store
from sweep.training.loop import Progress
from sweep.trials.target import Target
from sweep.trials.trial import Rung

TRAINING = Progress(20, 80, 0.05, 0.02, 0.3, None, 1e-3, 5.0)


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def progressed(self, identity: Identity, progress: Progress) -> None: ...

    def finished(self, point: Point) -> None:
        self.points.append(point)

    def reread(self, point: Point, accuracies: dict[str, float]) -> None: ...


class Ended(Trial):
    """One of Tune's, without what only Tune needs."""

    def __init__(self, target: Target, error: Path | None = None) -> None:
        self.config = {"target": target}
        self._error = error

    @property
    def error_file(self) -> str | None:
        return self._error and str(self._error)


def test_the_half_done_training_of_a_failed_trial_is_forgotten(tmp_path: Path) -> None:
    config, target, listener = smoke(), Target("tfic", 0.01, 0.1), Listener()
    node = target.node(config)
    assert node is not None
    half, error = tmp_path / f"{node.key}.partial.pt", tmp_path / "error.txt"
    error.write_text("Traceback\n  ...\nRuntimeError: the disk is full\n")
    trial = Ended(target, error)
    relay = Relay(config, listener, Store(tmp_path), Failures(pytest.fail))
    half.touch()
    relay.on_trial_error(1, [], trial)
    assert not half.exists()
    half.touch()
    failed = Point(identity=target.identity(config), status="failed", reason="the loss is nan")
    relay.on_trial_result(1, [], trial, {MESSAGE: failed})
    assert [point.reason for point in listener.points] == ["RuntimeError: the disk is full", "the loss is nan"]
    assert not half.exists()


def test_the_traceback_of_a_failed_trial_is_in_the_log_of_the_run_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, target, error = smoke(), Target("base", 0.01), tmp_path / "error.txt"
    error.write_text("Traceback\n  File one\nRuntimeError: the disk is full\n")
    with run_log.opened(tmp_path):
        relay = Relay(config, Listener(), Store(tmp_path), Failures(pytest.fail))
        relay.on_trial_error(1, [], Ended(target, error))
    said = (tmp_path / run_log.NAME).read_text()
    assert f"{target.identity(config).point_id} failed:\nTraceback\n  File one\nRuntimeError" in said
    assert capfd.readouterr() == ("", "")


def test_the_half_done_training_of_a_base_point_is_left_to_the_next_try(tmp_path: Path) -> None:
    config, target = smoke(), Target("base", 0.01)
    node = target.node(config)
    assert node is not None
    half = tmp_path / f"{node.key}.partial.pt"
    half.touch()
    Relay(config, Listener(), Store(tmp_path), Failures(pytest.fail)).on_trial_error(1, [], Ended(target))
    assert half.exists()


def test_a_stopped_trial_is_recorded_before_the_search_hears_of_it(tmp_path: Path) -> None:
    config, listener, trial = smoke(), Listener(), Ended(Target("tfic", 0.01, 0.1))
    reached = {MESSAGE: Rung(1, 7, ValidationMetrics(0.1, 0.2, 20.0), 3.0)}
    relay = Relay(config, listener, Store(tmp_path), Failures(pytest.fail))
    relay.on_trial_result(1, [], trial, reached)
    assert listener.points == []
    relay.on_trial_result(1, [], trial, reached | {"done": True})
    [stopped] = listener.points
    assert (stopped.status, stopped.val, stopped.train_seconds) == ("stopped", ValidationMetrics(0.1, 0.2, 20.0), 3.0)


def test_points_ahead_come_first_and_the_search_does_not_hear_of_them() -> None:
    search, measured = FrontSearch(smoke(), memory()), list[str]()
    ahead = [Target("base", 0.01), Target("uncompressed")]
    tune = TuneSearch(search, ahead, lambda: measured.append("all"))
    assert [tune.suggest(name) for name in "ab"] == [{"target": target} for target in ahead]
    assert "beta" in tune.suggest("c")
    tune.on_trial_complete("b", {MESSAGE: point(point_id="b", kind="uncompressed", status="complete")})
    assert measured == []
    tune.on_trial_complete("a", None, error=True)
    assert measured == ["all"]
    assert states(search) == {TrialState.RUNNING: 1}


@pytest.mark.parametrize("result", [None, {MESSAGE: point(point_id="a", kind="tfic", status="failed")}])
def test_the_search_hears_that_a_point_has_failed(result: dict[str, Any] | None) -> None:
    search = FrontSearch(smoke(), memory())
    tune = TuneSearch(search)
    tune.suggest("a")
    tune.on_trial_complete("a", result, error=result is None)
    assert states(search) == {TrialState.FAIL: 1}


def test_the_search_hears_at_which_rung_a_point_was_stopped() -> None:
    search = FrontSearch(smoke(), memory())
    tune = TuneSearch(search)
    tune.suggest("a")
    tune.on_trial_result("a", {MESSAGE: Rung(1, 7, ValidationMetrics(0.2, 0.3, 20.0), 3.0)})
    tune.on_trial_result("a", {MESSAGE: TRAINING})
    tune.on_trial_complete("a", {MESSAGE: Rung(2, 14, ValidationMetrics(0.1, 0.4, 20.0), 6.0)})
    assert states(search) == {TrialState.PRUNED: 1}
    assert [(rung, reached) for rung, _, reached in search.rungs()] == [(1, (0.2, 0.3)), (2, (0.1, 0.4))]


def test_one_that_was_interrupted_comes_again_in_the_next_search() -> None:
    storage = memory()
    search = FrontSearch(smoke(), storage)
    tune = TuneSearch(search)
    params = tune.suggest("a")
    tune.on_trial_complete("a", {MESSAGE: INTERRUPTED})
    assert states(search) == {TrialState.RUNNING: 1}
    again = FrontSearch(smoke(), storage)
    assert params in [again.suggest(name) for name in "ab"]


def test_tune_is_told_that_nothing_is_left_to_propose() -> None:
    config = override(smoke(), sampler="grid", budget=2)
    tune = TuneSearch(FrontSearch(config, memory()))
    assert [tune.suggest(name) == TuneSearch.FINISHED for name in "abc"] == [False, False, True]


def test_a_trial_that_goes_on_is_not_judged_against_itself() -> None:
    config, params = smoke(), {"lambda": 0.01, "beta": 0.1, "origins": ()}
    name, weak = str(proposals.point_key(params, config)), Objectives(0.2, 0.3)
    before = [(1, f"other {rate}", Objectives(rate / 100, 0.5)) for rate in range(1, 9)]
    trial = Ended(Target("base"))
    trial.config = params
    result = {MESSAGE: Rung(1, 7, ValidationMetrics(*weak, psnr_db=20.0), 3.0)}
    for earlier in ([], [(1, name, weak)]):
        rungs = FrontStoppingScheduler(config, [*before, *earlier])
        rungs.on_trial_result(None, trial, result)
        assert len(rungs._stopping._rungs[1]) == 9


def test_three_failures_in_a_row_of_one_cause_end_a_sweep() -> None:
    ends = list[str | None]()
    failures = Failures(lambda: ends.append(failures.cause))
    diverged = [f"the loss is {loss} at step {step} (1/4 of the rate)" for loss, step in ((1e9, 10), ("nan", 20))]
    for reason in (*diverged, None, *diverged, "the disk is full", *diverged):
        failures.heard(point(point_id="a", kind="tfic", status="failed" if reason else "complete", reason=reason))
    assert (ends, failures.cause) == ([], None)
    failures.heard(point(point_id="a", kind="tfic", status="failed", reason=diverged[0]))
    assert ends == [diverged[0]]
