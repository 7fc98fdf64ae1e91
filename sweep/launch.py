"""A sweep from start to end: what it holds while it runs, and what it says when it has ended."""

import math
import shlex
import time
from typing import NamedTuple

from datagen import generate
from sweep import run_log
from sweep.phases import Sweep
from sweep.results import following
from sweep.results.folder import RunFolder
from sweep.stages import strategies
from sweep.time_given import Given
from sweep.tracking import memory
from sweep.tracking.display import Display, clock
from sweep.trials import trial


class Effort(NamedTuple):
    """What a call of `sweep` took."""

    seconds: float
    """Wall time."""
    train_seconds: float
    """Time in training, summed over the places of trials: core-seconds where each has one core."""
    memory_bytes: int
    """Most memory at a time, on this machine."""


def sweep(run: RunFolder, seconds: float = math.inf, began: float | None = None) -> Effort:
    """Brings a run to its budget, whatever of it is done already; then reports. Its config.json is written first.

    Args:
        seconds: what all of it is to take. A run whose steps are not sized yet gets as many as there is time for; in
            others, no trial starts that would end later.
        began: when that time began, by the monotonic clock; None: now.

    Raises:
        SweepError: every point failed, or another sweep works in the folder.
        DataError: the data set cannot be made.
        ModelError: the recognizer's weights are missing or changed, or it does not know the texts' characters.
    """
    # Workers load it again; here it fails before anything has started.
    trial.recognizer(run.config.recognizers)
    display = Display(run.config)
    started = time.monotonic() if began is None else began
    with (
        run.claimed(),
        run_log.opened(run.path),
        memory.peak_memory() as peak,
        display.live(),
        generate.ray_session(),
        following.kept(run.path, run.store, display.print),
    ):
        run.save()
        under_way = Sweep(run, display)
        run = under_way.complete(Given(started, seconds))
        peak.look()
    effort = Effort(time.monotonic() - started, under_way.train_seconds, peak.bytes)
    _summarize(run, display, effort, under_way)
    return effort


def _summarize(run: RunFolder, display: Display, effort: Effort, done: Sweep) -> None:
    """Prints the front, what it took, and what to do with it."""
    display.print(done.summary)
    display.print(display.table())
    display.print(
        f"{clock(effort.seconds)} of wall time, {clock(effort.train_seconds)} of training in all, "
        f"{effort.memory_bytes / 2**30:.1f} GiB of memory at the peak"
    )
    display.print(f"report:  {run.path / 'report.html'}")
    if run.tracking_uri.startswith("http"):
        display.print(f"MLflow:  {run.tracking_uri.rstrip('/')}/{done.page}")
    else:
        display.print(f"MLflow:  mlflow ui --backend-store-uri {shlex.quote(run.tracking_uri)}")
        display.print(f"         http://127.0.0.1:5000/{done.page}")
    if run.store is not None:
        display.print(f"store:   {run.store}")
    display.print(f"export:  python -m sweep.pick {run.path} --max-bpp 0.1 --out model.pt")
    if strategies.of(run.config).conditions:
        display.print(f"         python -m sweep.pick {run.path} --dial --out dial.pt")
