"""A sweep sized to the time that it is given: the pace is measured, the steps are chosen, and both are said."""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from models.recognizers import held_out
from sweep import sizing
from sweep.cluster.pool import Pool
from sweep.config import SweepConfig
from sweep.stages import work
from sweep.stages.work import Pace
from sweep.tracking.display import Display

TIMING = 0.02
"""Share of the time for which steps of a stage are timed."""
TIMING_SECONDS = (4.0, 30.0)
"""Least and most of that: some ten steps, and what other programs do meanwhile is a mean."""


class Given(NamedTuple):
    """The time that a sweep is to take."""

    began: float
    """By the monotonic clock."""
    seconds: float

    @property
    def end(self) -> float:
        """By the monotonic clock; infinite where there is no limit."""
        return self.began + self.seconds


class Size(NamedTuple):
    """What a sweep trains, and until when it searches."""

    config: SweepConfig
    search_end: float
    """By the monotonic clock."""


def size(config: SweepConfig, pool: Pool, given: Given, display: Display) -> Size:
    """Sizes the configuration by the measured pace, and lets the pool and the display go on with that.

    Raises:
        SweepError: the time is too short, or nothing could be measured.
    """
    least, most = TIMING_SECONDS
    readers, _ = held_out.opened([each.name for each in config.recognizers])
    pace = pool.pace([*readers], min(most, max(least, TIMING * given.seconds)))
    gone = time.monotonic() - given.began
    sized = sizing.sized(config, pace, gone, given.seconds)
    display.print(said(config, sized, pace, sizing.expected(sized, pace)))
    ending = sizing.ending(sized, pace)
    display.resize(sized, work.costs(sized, pace), ending)
    pool.resize(sized)
    return Size(sized, given.end - ending)


def said(before: SweepConfig, config: SweepConfig, pace: Pace, seconds: float) -> str:
    """What was measured, what was chosen and when it ends, in a line."""
    steps = f"{config.stage1.steps:,} steps of stage 1 and {config.stage2.steps:,} of stage 2"
    share = config.stage2.steps / before.stage2.steps
    trials = f"{config.search.budget} trials"
    if config.search.budget < before.search.budget:
        trials += f" instead of {before.search.budget}"
    end = datetime.now() + timedelta(seconds=seconds)
    return (
        f"here a step of stage 1 takes {_told(pace.stage1)}, one of stage 2 {_told(pace.stage2)}, measuring a point "
        f"{_told(pace.point)} ({pace.places} at a time): {steps} ({share:.2g} times the preset's) and {trials} "
        f"end about {end:%H:%M}"
    )


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
