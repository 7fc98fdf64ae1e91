"""Steps and trials for the time that a sweep is given."""

from dataclasses import replace

import pytest

from sweep import presets, sizing
from sweep.config import SweepConfig, override
from sweep.errors import SweepError
from sweep.names import STRATEGIES, StrategyName
from sweep.stages import strategies
from sweep.stages.work import Pace

PACE = Pace(stage1=0.08, stage2=0.12, polish=0.12, team=15.0, start=8.0, point=17.0, reading=6.0, places=2)
"""As two cores have it."""
HOUR = 3600.0


def preset(strategy: StrategyName = "conditional", **values: object) -> SweepConfig:
    found = strategies.STRATEGIES[strategy]
    return found.split_budget(override(presets.cpu(), **values))


def slower(times: float) -> Pace:
    names = ("stage1", "stage2", "polish", "team", "start", "point", "reading")
    return replace(PACE, **{name: times * getattr(PACE, name) for name in names})


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("hours", [1, 2, 3.3, 8, 100])
@pytest.mark.parametrize("pace", [PACE, slower(0.1), replace(PACE, places=16)], ids=["two", "fast", "sixteen"])
def test_a_sweep_takes_the_time_that_it_is_given_and_no_more(strategy: StrategyName, hours: float, pace: Pace) -> None:
    config = sizing.sized(preset(strategy), pace, 200.0, hours * HOUR)
    taken = 200 + sizing.expected(config, pace)
    assert 0.9 * hours * HOUR < taken <= sizing.AIM * hours * HOUR


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_twice_the_time_is_twice_the_training(strategy: StrategyName) -> None:
    short, long = (sizing.sized(preset(strategy), PACE, 0.0, hours * HOUR) for hours in (50, 100))
    for stage in ("stage1", "stage2"):
        steps = [getattr(config, stage).steps for config in (short, long)]
        assert steps[1] / steps[0] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_time_is_never_less(strategy: StrategyName) -> None:
    found = [sizing.sized(preset(strategy), PACE, 0.0, minutes * 60) for minutes in range(18, 300, 15)]
    sizes = [(config.search.budget, config.stage1.steps, config.stage2.steps) for config in found]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_a_slower_machine_trains_fewer_steps_in_the_proportion_of_the_preset() -> None:
    config, slow = (sizing.sized(preset(), pace, 0.0, 3 * HOUR) for pace in (PACE, slower(2)))
    assert slow.stage1.steps < config.stage1.steps
    for each in (config, slow):
        proportion = presets.cpu().stage2.steps / presets.cpu().stage1.steps
        assert each.stage2.steps / each.stage1.steps == pytest.approx(proportion, rel=0.06)
        assert replace(each, stage1=preset().stage1, stage2=preset().stage2) == preset()


def test_where_steps_would_be_too_few_there_are_fewer_trials() -> None:
    config = sizing.sized(preset(), PACE, 0.0, 0.3 * HOUR)
    assert len(preset().search.lambdas) <= config.search.budget < preset().search.budget
    assert config.stage2.steps >= 0.95 * sizing.ENOUGH * preset().stage2.steps


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_time_that_is_too_short_is_refused_with_one_that_is_not(strategy: StrategyName) -> None:
    with pytest.raises(SweepError, match=r"--hours 0.05 is too short") as refused:
        sizing.sized(preset(strategy), PACE, 100.0, 0.05 * HOUR)
    least = float(str(refused.value).partition("--resume --hours ")[2].split()[0])
    assert sizing.sized(preset(strategy), PACE, 100.0, least * HOUR).stage2.steps >= 1
    with pytest.raises(SweepError, match="too short"):
        sizing.sized(preset(strategy), PACE, 100.0, (least - 0.02) * HOUR)


def test_steps_read_well_and_are_never_more() -> None:
    numbers = [1, 7.9, 19, 84, 104, 1099, 2345, 5199, 5201, 14_000, 123_456, 987_654]
    found = [sizing.readable(number) for number in numbers]
    assert found == [1, 7, 19, 84, 100, 1050, 2300, 5000, 5200, 14_000, 120_000, 980_000]
    assert all(0.95 * number < found <= number for number, found in zip(numbers[2:], found[2:], strict=True))
    assert [sizing.readable(each) for each in found] == found


def test_trials_that_stop_early_leave_their_time_to_the_others() -> None:
    early = sizing.sized(preset("shared"), PACE, 0.0, 4 * HOUR)
    whole = sizing.sized(preset("shared", early_stopping=False), PACE, 0.0, 4 * HOUR)
    assert early.stage2.steps > whole.stage2.steps


def test_what_a_polish_takes_is_part_of_the_sum() -> None:
    plain, polished = (sizing.expected(preset(polish_steps=steps), PACE) for steps in (0, 100))
    assert polished - plain == pytest.approx(32 * 100 * PACE.polish)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_other_seeds_are_part_of_the_sum_and_come_after_the_search(strategy: StrategyName) -> None:
    once, thrice = (sizing.sized(preset(strategy, seeds=seeds), PACE, 0.0, 20 * HOUR) for seeds in (1, 3))
    assert thrice.stage2.steps < once.stage2.steps
    assert sizing.expected(thrice, PACE) <= sizing.AIM * 20 * HOUR
    assert sizing.ending(thrice, PACE) > sizing.ending(once, PACE)
