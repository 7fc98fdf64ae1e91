"""What the user sees while a sweep runs: one live panel on a terminal, plain lines elsewhere."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import polars as pl
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweep.config import StageConfig, SweepConfig
from sweep.results.point import UNTRAINED, Identity, Point, RatePoint, ValidationMetrics
from sweep.stages import work
from sweep.stages.tree import Node
from sweep.training.loop import Progress

LINE_SECONDS = 30.0
"""Seconds between two plain lines."""
BEST = 8
"""Rows of the front that are shown."""


class Display:
    """The state of a sweep and how it looks."""

    def __init__(self, config: SweepConfig, console: Console | None = None) -> None:
        """Nothing is shown before `live`."""
        self._config = config
        self._costs, self._ending = work.USUAL, 0.0
        self._console = console or Console()
        self._started = time.monotonic()
        self._phase, self._phase_done, self._phase_total = "starting Ray", 0.0, 0.0
        self._points = 0
        self._front = pl.DataFrame()
        self._running: dict[str, tuple[str, Progress]] = {}
        self._expected: dict[str, float] = {}
        self._done: dict[tuple[str, bool], float] = {}
        self._timed_from: tuple[float, float] | None = None
        self._phase_from, self._aside = (self._started, 0.0), 0.0
        self._work, self._work_done, self._trial = 0.0, 0.0, 0.0
        self._last_line = 0.0

    @contextmanager
    def live(self) -> Generator[None]:
        """Shows the panel while the block runs."""
        self._line(force=True)
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, get_renderable=self._panel, refresh_per_second=2, transient=True):
            yield

    def phase(self, name: str, total: float = 0.0) -> None:
        """Begins a phase, unless it is under way; `total` is what the progress of the phase counts to, if known."""
        if name == self._phase:
            return
        self._aside += self._idle()
        self._phase_from = (time.monotonic(), self._work_done)
        self._phase, self._phase_done, self._phase_total = name, 0.0, total
        self._line(force=True)

    def advanced(self, done: float, total: float) -> None:
        """Notes how far the phase has come."""
        self._phase_done, self._phase_total = done, total
        self._line()

    def resize(self, config: SweepConfig, costs: work.Costs, ending: float) -> None:
        """The steps and the trials are others than before, and what they cost was measured.

        Args:
            ending: seconds from the last trial to the end.
        """
        self._config, self._costs, self._ending = config, costs, ending

    def expect(self, training: list[Node], points: int, trial: list[Node], trials: int) -> None:
        """Work is ahead: nodes to train, points to measure, and trials, each of which trains `trial` first."""
        self._expected = {node.key: work.training([node], self._costs) for node in training}
        self._trial = work.training(trial, self._costs)
        self._work = sum(self._expected.values()) + trials * self._trial
        self._work += (points + trials) * work.measuring(self._config, self._costs)

    def trained(self, node: Node, progress: Progress) -> None:
        """A node that all points share is being trained."""
        self._train(node.key, node.title, node.stage, progress)
        self._phase_done = progress.step
        if progress.step == progress.steps:
            del self._running[node.key]

    def progressed(self, identity: Identity, progress: Progress) -> None:
        """A point is being trained, in one of its stages."""
        stage = self._config.stage1 if progress.ocr is None else self._config.stage2
        self._train(identity.point_id, _name(identity), stage, progress)

    def _train(self, key: str, name: str, stage: StageConfig, progress: Progress) -> None:
        reads = progress.ocr is not None
        done = work.images(progress.step, stage, reads=reads, costs=self._costs)
        self._work_done += done - self._done.get((key, reads), 0.0)
        self._done[key, reads] = done
        # Workers take a while to start; the clock of "time left" runs from their first word.
        self._timed_from = self._timed_from or (time.monotonic(), self._work_done)
        _, before = self._running.get(key, (name, None))
        if any(progress.mishaps) and (before is None or progress.mishaps != before.mishaps):
            self.print(f"{name}, step {progress.step}: {progress.mishaps}")
        self._running[key] = (name, progress)
        self._line()

    def finished(self, point: Point, frame: pl.DataFrame) -> None:
        """A point is measured, or has failed; `frame` holds all points."""
        self._running.pop(point.point_id, None)
        self._settle(point)
        self._phase_done += 1
        self.show(frame)
        self._console.print(_sentence(point), highlight=False)

    def _settle(self, point: Point) -> None:
        """Takes off the work ahead what a point spared by ending early, or by being in the store already."""
        if point.identity.kind in UNTRAINED:
            return
        trained = sum(self._done.pop((point.point_id, reads), 0.0) for reads in (False, True))
        measuring = work.measuring(self._config, self._costs)
        expected = self._trial if point.identity.kind == "tfic" else self._expected.get(point.point_id, 0.0)
        self._work -= expected - trained
        if point.status == "complete":
            self._work_done += measuring
        else:
            self._work -= measuring

    def reread(self, point: Point, accuracies: dict[str, float]) -> None:
        """Readers that are held out have read a point."""
        self._phase_done += 1
        read = ", ".join(f"{name} {value:.3f}" for name, value in accuracies.items())
        self._console.print(escape(f"{_name(point.identity)} read by {read or 'nobody'}"), highlight=False)

    def show(self, frame: pl.DataFrame) -> None:
        """Notes the table of all points so far."""
        self._points = frame.filter(kind="tfic", seed=self._config.seed).height
        self._front = frame.filter("on_front").sort("bpp")

    def print(self, text: str | Table | Text) -> None:
        """Prints a line or a table above the panel, where it stays; a line is printed as it is, without markup."""
        line = isinstance(text, str)
        self._console.print(escape(text) if line else text, highlight=False, soft_wrap=line)

    def _left(self) -> str:
        """Time left, as far as the work done so far tells."""
        since, before = self._timed_from or (0.0, self._work_done)
        if self._work_done <= before:
            return "time left: not known yet"
        speed = (self._work_done - before) / (time.monotonic() - since - self._aside - self._idle())
        ahead = max(0.0, self._work - self._work_done) / speed
        return f"{clock(ahead + self._ending)} left"

    def _idle(self) -> float:
        """Seconds of the phase, where it does nothing of the work that is counted, such as measuring baselines."""
        since, before = self._phase_from
        return time.monotonic() - since if self._timed_from and self._work_done == before else 0.0

    def _state(self) -> str:
        elapsed = clock(time.monotonic() - self._started)
        return f"{self._phase} | {self._points} of {self._config.search.budget} points | {elapsed} gone, {self._left()}"

    def _line(self, force: bool = False) -> None:
        if self._console.is_terminal or (time.monotonic() - self._last_line < LINE_SECONDS and not force):
            return
        self._last_line = time.monotonic()
        share = f" {100 * self._phase_done / self._phase_total:.0f}%" if self._phase_total else ""
        self.print(self._state() + share)

    def _panel(self) -> Group:
        total = self._phase_total or None
        bar = ProgressBar(total=total, completed=self._phase_done, width=60, pulse=total is None)
        running = [Text("  " + _training(*point), style="dim") for point in self._running.values()]
        # A bar alone does not end its line.
        return Group(Text(self._state(), style="bold"), Padding(bar), *running, self.table())

    def table(self) -> Table | Text:
        """The front, thinned to a few rows."""
        if self._front.is_empty():
            return Text("no point on the front yet", style="dim")
        table = Table("bpp", "accuracy", "kind", "λ", "β", title=f"the front: {len(self._front)}")
        step = -(-len(self._front) // BEST)
        for row in self._front[::-1][::step][::-1].iter_rows(named=True):
            weights = (f"{row[name]:.2g}" for name in ("lambda", "beta"))
            table.add_row(f"{row['bpp']:.4f}", f"{row['accuracy']:.3f}", row["kind"], *weights)
        return table


def _training(name: str, progress: Progress) -> str:
    terms = {"bpp": progress.bpp, "mse": progress.mse, "text": progress.text, "ocr": progress.ocr}
    values = ", ".join(f"{name} {value:.3g}" for name, value in terms.items() if value is not None)
    together = f" by {progress.workers} workers" if progress.workers > 1 else ""
    return f"{name}{together}: step {progress.step} of {progress.steps}, {values}"


def _name(identity: Identity) -> str:
    if identity.kind in UNTRAINED:
        return identity.point_id
    weights = {"λ": identity.rate_weight, "β": identity.ocr_weight}
    return " ".join([identity.kind, *(f"{sign}={weight:.2g}" for sign, weight in weights.items() if weight)])


def _sentence(point: Point) -> str:
    """A finished point in a line, with markup for the console."""
    # C++ begins its errors with a place in brackets.
    reason = escape(point.reason or "no reason known")
    match point:
        case Point(status="complete", test=RatePoint() as reached):
            return f"{_name(point.identity)}: {_reached(reached)}"
        case Point(status="stopped", val=ValidationMetrics() as reached):
            return f"{_name(point.identity)} stopped: {reason}, at {_reached(reached)}"
        case _:
            return f"[red]{_name(point.identity)} failed:[/] {reason}"


def _reached(figures: RatePoint | ValidationMetrics) -> str:
    return f"{figures.bpp:.4f} bpp, accuracy {figures.accuracy:.3f}"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
