"""Sizes a sweep to the time that it is given: the steps of both stages by one factor, and fewer trials if it is short.

Arithmetic alone: seconds of steps and points come from a measured `Pace`.
"""

import math
from bisect import bisect_left
from dataclasses import replace

from sweep.config import StageConfig, SweepConfig, override
from sweep.errors import SweepError
from sweep.search import proposals
from sweep.search.early_stopping import REDUCTION
from sweep.stages import strategies, tree
from sweep.stages.tree import Node
from sweep.stages.work import Pace

AIM = 0.97
"""Share of the time that is planned: a pace that was measured for seconds does not hold for hours to the percent."""
LEAST = 0.05
"""Least share of the preset's steps that is worth training."""
ENOUGH = 0.25
"""Share of the preset's steps below which there are rather fewer trials, down to one for each lambda."""
GIVEN_UP = 1 / 6
"""Share of stage 2 that a trial trains which stops early: most do at the first rung, a ninth."""
ON_FRONT = 0.5
"""Share of the points that come to lie on the front, which held-out readers read."""
REPORT_SECONDS = 15.0
"""Drawing the report, and ending."""


def sized(config: SweepConfig, pace: Pace, gone: float, given: float) -> SweepConfig:
    """The configuration with as many steps as the time allows, and fewer trials where it would be too few steps.

    Args:
        gone: seconds of the given ones that are over.

    Raises:
        SweepError: the time is too short for the least that is worth it.
    """
    left = AIM * given - gone
    fewest = min(config.search.budget, len(config.search.lambdas))
    more = range(fewest + 1, config.search.budget + 1)
    fitting = bisect_left(more, True, key=lambda trials: factor(_with(config, trials), pace, left) < ENOUGH)
    config = _with(config, fewest + fitting)
    share = factor(config, pace, left)
    if share < LEAST:
        least = (gone + LEAST * _training(config, pace) + _rest(config, pace)) / AIM / 3600
        raise SweepError(
            f"--hours {given / 3600:.3g} is too short here for {LEAST:.0%} of the preset's steps and {fewest} trials; "
            f"give --resume --hours {math.ceil(100 * least) / 100:.2f} or more"
        )
    return scaled(config, share)


def _with(config: SweepConfig, trials: int) -> SweepConfig:
    return proposals.cap_budget(override(config, budget=trials))


def factor(config: SweepConfig, pace: Pace, seconds: float) -> float:
    """Share of the configuration's steps that can be trained when everything is to take so many seconds."""
    return max(0.0, seconds - _rest(config, pace)) / _training(config, pace)


def scaled(config: SweepConfig, share: float) -> SweepConfig:
    """The configuration with a share of the steps of both stages, each rounded down to a number that reads well."""
    return replace(config, stage1=_scaled(config.stage1, share), stage2=_scaled(config.stage2, share))


def _scaled(stage: StageConfig, share: float) -> StageConfig:
    return replace(stage, steps=max(1, readable(share * stage.steps)))


def readable(number: float) -> int:
    """The next number below of two digits and a half: 1050, 1100 …, from 2000 on 2100 …, from 5000 on 5200 …."""
    if number < 1:
        return 0
    power = 10 ** math.floor(math.log10(number))
    lead = number / power
    unit = max(1, power // (20 if lead < 2 else 10 if lead < 5 else 5))
    return math.floor(number / unit) * unit


def expected(config: SweepConfig, pace: Pace) -> float:
    """Seconds from the first step to the end of the report."""
    return _training(config, pace) + _rest(config, pace)


def ending(config: SweepConfig, pace: Pace) -> float:
    """Seconds from the last trial of the search to the end: other seeds, held-out readers and the report."""
    again = _repeated_training(config, pace) + _repeated_rest(config, pace)
    return (config.search.seeds - 1) * again + _closing(config, pace)


def _closing(config: SweepConfig, pace: Pace) -> float:
    """Seconds of held-out readers and the report."""
    points = 1 + ON_FRONT * (len(config.search.lambdas) + config.search.budget)
    reading = pace.start + _turns(points, pace.places) * pace.reading if pace.reading else 0.0
    return reading + REPORT_SECONDS


def _training(config: SweepConfig, pace: Pace) -> float:
    """Seconds in which the steps of both stages are trained, one trial's beside another's."""
    trials = _turns_of_trials(config, pace) * _trial(config, pace, _to_the_end(config))
    again = (config.search.seeds - 1) * _repeated_training(config, pace)
    return _shared(config, pace) + _base(config, pace) + trials + again


def _repeated_training(config: SweepConfig, pace: Pace) -> float:
    """Seconds of the steps that train the front again from one other seed."""
    own = len(strategies.of(config).trial_nodes(config)) > 1
    stage1 = 0.0 if own else _base(config, pace)
    return _shared(config, pace) + stage1 + _turns_again(config, pace) * _trial(config, pace, 1.0)


def _shared(config: SweepConfig, pace: Pace) -> float:
    return sum(_seconds(node, pace) for node in strategies.of(config).shared_nodes(config))


def _base(config: SweepConfig, pace: Pace) -> float:
    """Seconds of the stages 1 that the points of the base curve train themselves."""
    strategy = strategies.of(config)
    if strategy.conditions:
        return 0.0
    waves = tree.waves(config.search.lambdas, lambda weight: strategy.base_node(config, weight))
    return sum(_turns(len(wave), pace.places) * _seconds(strategy.base_node(config, wave[0]), pace) for wave in waves)


def _trial(config: SweepConfig, pace: Pace, whole: float) -> float:
    """Seconds of the stages that a trial trains itself, on average where so large a share goes to the end."""
    strategy = strategies.of(config)
    if strategy.conditions:
        return 0.0
    parts = {"stage 1": 1.0, "stage 2": whole + (1 - whole) * GIVEN_UP}
    return sum(parts[node.title] * _seconds(node, pace) for node in strategy.trial_nodes(config))


def _seconds(node: Node, pace: Pace) -> float:
    return node.stage.steps * (pace.stage2 if node.recognizer else pace.stage1)


def _rest(config: SweepConfig, pace: Pace) -> float:
    """Seconds of all that does not depend on the steps: workers that start, points that are measured, the end."""
    base = _turns(len(config.search.lambdas), pace.places) * pace.point
    trial = config.polish_steps * pace.polish + _to_the_end(config) * pace.point
    search = _turns_of_trials(config, pace) * trial
    again = (config.search.seeds - 1) * _repeated_rest(config, pace)
    return _starts(config, pace) + pace.start + base + search + again + _closing(config, pace)


def _repeated_rest(config: SweepConfig, pace: Pace) -> float:
    """Seconds of what does not depend on the steps where the front is trained again."""
    trial = config.polish_steps * pace.polish + pace.point
    return _starts(config, pace) + _turns_again(config, pace) * trial


def _starts(config: SweepConfig, pace: Pace) -> float:
    """Seconds until all workers together begin with each stage that all points share, and those of trials."""
    return pace.team * len(strategies.of(config).shared_nodes(config)) + pace.start


def _turns_again(config: SweepConfig, pace: Pace) -> int:
    return _turns(ON_FRONT * config.search.budget, pace.places)


def _to_the_end(config: SweepConfig) -> float:
    """Share of the trials that are not stopped early: the first ones, and the best of the others."""
    if not (config.search.early_stopping and strategies.of(config).stops_early):
        return 1.0
    trials = config.search.budget
    return min(1.0, (len(config.search.lambdas) + trials / REDUCTION) / trials)


def _turns_of_trials(config: SweepConfig, pace: Pace) -> int:
    trials = config.search.budget
    return _turns(trials, proposals.at_a_time(config, trials, pace.places))


def _turns(number: float, at_a_time: int) -> int:
    """How often as many as can be done side by side are, until all are done."""
    return math.ceil(number / at_a_time)
