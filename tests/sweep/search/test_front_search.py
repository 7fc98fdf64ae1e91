import itertools
import math
from pathlib import Path

import pytest
from optuna.trial import TrialState
from searches import answer, proposed, recorded, states, tell

from sweep.config import SweepConfig, override
from sweep.errors import SweepError
from sweep.names import SamplerName
from sweep.presets import cpu, smoke
from sweep.results.pareto import Objectives
from sweep.results.point import Status, ValidationMetrics
from sweep.search import proposals
from sweep.search.front_search import HOPELESS, FrontSearch
from sweep.search.proposals import ORIGINS
from sweep.search.samplers import SAMPLERS
from sweep.search.study import journal
from sweep.stages.strategies import CONDITIONAL, CONTINUED, SHARED, STRATEGIES, Strategy
from sweep.stages.tree import Origins


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_proposals_stay_in_the_plane(strategy: Strategy, sampler: SamplerName, tmp_path: Path) -> None:
    config = override(strategy.split_budget(cpu()), sampler=sampler)
    searcher = FrontSearch(config, journal(tmp_path))
    for number in range(25):
        point = proposed(searcher, str(number))
        rate_weight, ocr_weight = proposals.weights(point, config)
        assert config.search.lambdas[-1] <= rate_weight <= config.search.lambdas[0]
        assert config.search.betas[0] <= ocr_weight <= config.search.betas[1]
        assert not strategy.lists_lambdas or rate_weight in config.search.lambdas
        tell(searcher, str(number), answer(0.1, 0.5))
    assert (states(searcher)[TrialState.COMPLETE], states(searcher)[TrialState.RUNNING]) == (25, 0)


def test_the_first_points_visit_every_lambda_and_both_ends_of_beta() -> None:
    config = cpu()
    first = proposals.first_points(config)
    assert [point["lambda"] for point in first] == list(config.search.lambdas)
    indexes = [point["lambda_index"] for point in proposals.first_points(SHARED.split_budget(config))]
    assert indexes == list(range(len(config.search.lambdas)))
    low, high = config.search.betas
    assert min(point["beta"] for point in first) < low * (high / low) ** 0.25
    assert max(point["beta"] for point in first) > low * (high / low) ** 0.75


def test_a_grid_sets_the_same_betas_to_every_lambda() -> None:
    config = override(cpu(), sampler="grid", budget=30)
    first = proposals.first_points(config)
    assert len(first) == 30
    betas = sorted({point["beta"] for point in first})
    assert (betas[0], betas[-1]) == pytest.approx(config.search.betas)
    assert {(point["lambda"], point["beta"]) for point in first} == {
        (a, b) for a in config.search.lambdas for b in betas
    }
    papers = proposals.first_points(override(config, betas=(0.1, 0.1)))
    assert [(point["lambda"], point["beta"]) for point in papers] == [(rate, 0.1) for rate in config.search.lambdas]


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "qmc", "random"])
def test_no_point_is_proposed_twice_and_none_is_left_out(sampler: SamplerName, tmp_path: Path) -> None:
    config = override(
        SHARED.split_budget(cpu()), sampler=sampler, betas=(0.1, 0.1), vary=(("steps", 2, 4),), budget=100
    )
    searcher, names = FrontSearch(config, journal(tmp_path)), []
    while (point := searcher.suggest(str(len(names)))) is not None:
        tell(searcher, str(len(names)), answer(0.1, 0.5))
        names.append(proposals.point_key(point, config))
    assert set(names) == {(rate, 0.1, steps) for rate in config.search.lambdas for steps in (2, 3, 4)}
    assert len(names) == proposals.cap_budget(config).search.budget == 18


def test_a_grid_is_followed_by_nothing(tmp_path: Path) -> None:
    config = override(smoke(), sampler="grid", budget=4)
    searcher = FrontSearch(config, journal(tmp_path))
    assert [searcher.suggest(str(number)) is None for number in range(6)] == [False] * 4 + [True] * 2


def test_a_grids_ends_are_those_of_its_range() -> None:
    for low, high in itertools.combinations((share / 1000 for share in range(1, 60)), 2):
        spread = proposals.spread(low, high, 3)
        assert low == spread[0] < spread[1] < spread[2] <= high


def test_a_budget_is_no_larger_than_the_points_there_are() -> None:
    config = override(cpu(), sampler="grid")
    assert proposals.cap_budget(config).search.budget == 60
    assert proposals.cap_budget(override(config, budget=7)).search.budget == 6
    papers = override(config, betas=(0.1, 0.1))
    assert proposals.cap_budget(papers).search.budget == 6
    assert proposals.cap_budget(override(papers, sampler="tpe", strategy="shared")).search.budget == 6
    assert proposals.cap_budget(override(papers, sampler="tpe", lambdas=(0.1,))).search.budget == 1
    settings = (("learning_rate", 1e-4, 1e-3),)
    for endless in (cpu(), override(papers, sampler="tpe", strategy="shared", vary=settings)):
        assert proposals.cap_budget(endless) == endless


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("gp", marks=pytest.mark.slow), "nsga2"])
def test_wishes_steer_the_search(sampler: SamplerName, tmp_path: Path) -> None:
    def measured(config: SweepConfig) -> list[float]:
        searcher, rates = FrontSearch(config, journal(tmp_path / str(config.search.max_bpp))), []
        for number in range(48):
            point = proposed(searcher, str(number))
            rate_weight, ocr_weight = proposals.weights(point, config)
            rates.append(0.02 / rate_weight**0.6)
            accuracy = 1 - 0.02 / rates[-1] + 0.1 * ocr_weight
            tell(searcher, str(number), answer(rates[-1], accuracy))
        return rates[16:]

    config = override(cpu(), sampler=sampler)
    bound = 0.1
    free, bounded = measured(config), measured(override(config, max_bpp=bound))
    assert sum(rate <= bound for rate in bounded) > sum(rate <= bound for rate in free)


def test_a_stopped_trial_that_misses_a_wish_draws_nobody(tmp_path: Path) -> None:
    """No point meets the wish; those nearest to it are measured, those farthest from it are stopped."""
    config = override(cpu(), max_bpp=1e-3)
    middle = math.sqrt(config.search.lambdas[0] * config.search.lambdas[-1])
    searcher, rates = FrontSearch(config, journal(tmp_path)), []
    for number in range(40):
        rates.append(proposed(searcher, str(number))["lambda"])
        result = answer(0.02 / rates[-1] ** 0.6, 0.5, "complete" if rates[-1] > middle else "stopped")
        tell(searcher, str(number), result)
    assert sum(rate > middle for rate in rates[20:]) > 15


@pytest.mark.parametrize("status", ["complete", "stopped"])
def test_a_recorded_point_tells_how_far_it_is_from_a_constraint(status: Status, tmp_path: Path) -> None:
    config, result = override(cpu(), max_bpp=0.1), answer(0.3, 0.5, status)
    point = proposed(FrontSearch(config, journal(tmp_path)), "killed")
    [trial] = FrontSearch(config, journal(tmp_path), [recorded(point, config, result)]).study.trials
    assert trial.constraints == pytest.approx({"max_bpp": 0.2})


@pytest.mark.parametrize("sampler", ["qmc", "random", "grid"])
def test_constraints_need_an_adaptive_search(sampler: SamplerName) -> None:
    with pytest.raises(SweepError, match="tpe, gp or nsga2"):
        override(cpu(), sampler=sampler, min_psnr=20.0)


@pytest.mark.parametrize(
    ("sampler", "trials", "places", "together"),
    [("tpe", 64, 2, 2), ("tpe", 64, 68, 16), ("nsga2", 2, 68, 6), ("qmc", 64, 68, 68)],
)
def test_a_search_that_looks_waits_for_something_to_look_at(
    sampler: SamplerName, trials: int, places: int, together: int
) -> None:
    assert proposals.at_a_time(override(cpu(), sampler=sampler), trials, places) == together


def test_a_wish_is_missed_by_how_much() -> None:
    result = ValidationMetrics(0.2, 0.7, psnr_db=30.0)
    constraints = {"max_bpp": 0.1, "min_accuracy": 0.8, "min_psnr": 28.0}
    assert proposals.violations(constraints, result) == pytest.approx(
        {"max_bpp": 0.1, "min_accuracy": 0.1, "min_psnr": -2.0}
    )


def test_nothing_is_proposed_that_would_end_too_late(tmp_path: Path) -> None:
    now, end = 0.0, 1.0
    searcher = FrontSearch(smoke(), journal(tmp_path), too_late=lambda seconds: now + seconds > end, clock=lambda: now)
    assert searcher.suggest("a")
    now = 0.6
    tell(searcher, "a", answer(0.1, 0.5))
    assert searcher.suggest("b") is None


def test_the_seconds_of_earlier_trials_count_from_the_first_proposal_on(tmp_path: Path) -> None:
    searcher = FrontSearch(smoke(), journal(tmp_path), too_late=lambda seconds: seconds > 1, took=[2.0])
    assert searcher.suggest("a") is None


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_a_trial_that_ends_early_does_not_tell_how_long_another_takes(status: Status, tmp_path: Path) -> None:
    now, asked = 0.0, []

    def too_late(seconds: float) -> bool:
        asked.append(seconds)
        return False

    searcher = FrontSearch(SHARED.split_budget(smoke()), journal(tmp_path), too_late=too_late, clock=lambda: now)
    endings: list[tuple[str, Status, float]] = [("a", "complete", 10.0), ("b", status, 1.0)]
    for name, result, seconds in endings:
        proposed(searcher, name)
        now += seconds
        tell(searcher, name, answer(0.1, 0.5, result))
    proposed(searcher, "c")
    assert asked == [0.0, 10.0, 10.0]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_proposes_the_same_points(sampler: SamplerName, tmp_path: Path) -> None:
    runs = []
    for name in ("a", "b"):
        searcher = FrontSearch(override(smoke(), sampler=sampler, budget=14), journal(tmp_path / name))
        points = []
        for number in range(14):
            points.append(proposed(searcher, str(number)))
            tell(searcher, str(number), answer(number / 100, 1 / (1 + number)))
        runs.append(points)
    assert runs[0] == runs[1]


def test_a_failed_point_that_is_not_recorded_comes_again(tmp_path: Path) -> None:
    searcher = FrontSearch(smoke(), journal(tmp_path))
    point = proposed(searcher, "a")
    searcher.failed("a")
    failed = recorded(point, smoke(), answer(0.1, 0.5, "failed"))
    assert FrontSearch(smoke(), journal(tmp_path), [failed]).suggest("other") != point
    again = FrontSearch(smoke(), journal(tmp_path))
    assert proposed(again, "b") == point
    tell(again, "b", answer(0.1, 0.5))
    assert states(again)[TrialState.COMPLETE] == 1


def test_trials_of_one_point_are_told_apart_by_their_settings(tmp_path: Path) -> None:
    config = override(
        SHARED.split_budget(cpu()), betas=(0.1, 0.1), sampler="random", vary=(("learning_rate", 1e-4, 1e-3),)
    )
    searcher, rows = FrontSearch(config, journal(tmp_path)), []
    for number in range(20):
        rows.append(recorded(proposed(searcher, str(number)), config, answer(0.1, 0.5)))
        if number < 19:
            tell(searcher, str(number), answer(0.1, 0.5))
    assert len({each.identity.learning_rate for each in rows[6:]}) == 14
    last = rows.pop()
    again = FrontSearch(config, journal(tmp_path), rows)
    assert proposed(again, "again")["learning_rate"] == last.identity.learning_rate


def test_a_stopped_trial_is_told_as_pruned_and_what_it_reached_is_kept(tmp_path: Path) -> None:
    searcher = FrontSearch(SHARED.split_budget(cpu()), journal(tmp_path))
    name = str(proposals.point_key(proposed(searcher, "a"), SHARED.split_budget(cpu())))
    searcher.reached("a", 10, Objectives(0.2, 0.3))
    searcher.stopped("a", ValidationMetrics(0.2, 0.3, 20.0))
    assert states(searcher)[TrialState.PRUNED] == 1
    again = FrontSearch(SHARED.split_budget(cpu()), journal(tmp_path))
    assert list(again.rungs()) == [(10, name, (0.2, 0.3))]


def test_a_continued_trial_comes_from_the_nearest_finished_one(tmp_path: Path) -> None:
    config = override(CONTINUED.split_budget(cpu()), lambdas=(0.1, 0.001))
    low, high = config.search.betas
    a, b = (config.search.lambdas[0], low), (config.search.lambdas[-1], high)
    near_a, near_b = (0.9 * a[0], 1.1 * a[1]), (1.1 * b[0], 0.9 * b[1])

    rows = []

    def origins_of(searcher: FrontSearch, point: tuple[float, float]) -> Origins:
        searcher.study.enqueue_trial(dict(zip(("lambda", "beta"), point, strict=True)))
        found = proposed(searcher, str(point))
        rows.append(recorded(found, config, answer(0.1, 0.5)))
        return found[ORIGINS]

    searcher = FrontSearch(config, journal(tmp_path))
    for name in "xy":
        rows.append(recorded(proposed(searcher, name), config, answer(0.1, 0.5, "failed")))
        tell(searcher, name, answer(0.1, 0.5, "failed"))
    for point, origins in ((a, ()), (b, (a,)), (near_b, (a, b))):
        assert origins_of(searcher, point) == origins
        tell(searcher, str(point), answer(0.1, 0.5))
    assert origins_of(FrontSearch(config, journal(tmp_path), rows), near_a) == (a,)


@pytest.mark.parametrize("succeeded", [False, True])
def test_a_search_whose_trials_all_fail_gives_up(succeeded: bool, tmp_path: Path) -> None:
    searcher = FrontSearch(smoke(), journal(tmp_path))
    for number in range(HOPELESS):
        assert searcher.suggest(str(number))
        failed = number > 0 or not succeeded
        tell(searcher, str(number), answer(0.1, 0.5, "failed" if failed else "complete"))
    if searcher.suggest("last"):
        searcher.failed("last")
    assert (searcher.suggest("next") is None) == (not succeeded)


def test_settings_of_stage_2_are_searched_too(tmp_path: Path) -> None:
    config = override(SHARED.split_budget(cpu()), vary=(("learning_rate", 1e-4, 1e-3), ("steps", 30, 120)))
    searcher = FrontSearch(config, journal(tmp_path))
    found = []
    for number in range(12):
        found.append(dict(proposals.varied(proposed(searcher, str(number)), config)))
        tell(searcher, str(number), answer(0.1, 0.5))
    assert all(1e-4 <= each["learning_rate"] <= 1e-3 for each in found)
    assert all(each["steps"] == int(each["steps"]) and 30 <= each["steps"] <= 120 for each in found)
    assert len({each["steps"] for each in found}) > 5


@pytest.mark.parametrize("vary", [("steps", 0, 10), ("learning_rate", 1e-3, 1e-4)])
def test_a_range_that_is_none_is_refused(vary: tuple) -> None:
    with pytest.raises(SweepError, match="positive rising pair"):
        override(SHARED.split_budget(cpu()), vary=(vary,))


def test_trials_that_train_nothing_have_no_settings_to_vary() -> None:
    with pytest.raises(SweepError, match="--strategy shared or independent"):
        CONDITIONAL.check(override(cpu(), vary=(("steps", 10, 20),)))
