"""The observer of a sweep: tells the table of points, MLflow and the screen what becomes of each point."""

import threading
import time

import polars as pl

from sweep.reporting.figures import front_figure
from sweep.results.point import READER, Identity, Point
from sweep.results.points import PointTable, listed
from sweep.stages.tree import Node
from sweep.tracking.display import Display
from sweep.tracking.tracker import SETTLING_SECONDS, Tracker
from sweep.training.loop import Progress

FIGURE_SECONDS = 60.0
"""Seconds between two pictures of the front in MLflow while a sweep runs."""


class Recorder:
    """The observer of a sweep's pool, in the driver's process."""

    def __init__(self, table: PointTable, tracker: Tracker, display: Display) -> None:
        """Begins to write to MLflow, first what an earlier process has left."""
        self._table = table
        # MLflow's runs come from a thread of the tracker's.
        self._lock = threading.Lock()
        self._tracker = tracker
        self._display = display
        self._pictured = 0.0
        self.train_seconds = 0.0
        """Seconds of training of points that finished here and of what they share, summed over places of trials."""
        self._shared: dict[str, float] = {}
        tracker.start(self._logged)

    def progressed(self, identity: Identity, progress: Progress) -> None:
        """Passes on the loss terms of a point under way."""
        self._tracker.log_progress(identity, progress)
        self._display.progressed(identity, progress)

    def trained(self, node: Node, progress: Progress, places: int) -> None:
        """Passes on the loss terms of training that all points share, which takes the places of so many trials."""
        self._tracker.log_shared_progress(node.title, progress)
        self._display.trained(node, progress)
        self.train_seconds += places * max(0.0, progress.seconds - self._shared.get(node.key, 0.0))
        self._shared[node.key] = progress.seconds

    def finished(self, point: Point) -> None:
        """Records a finished point, which is in points.parquet when this returns, and in the queue for MLflow."""
        with self._lock:
            self._table.add(point)
        self._tracker.log_point(point)
        self._log_front()
        self._display.finished(point, self._table.frame)
        self.train_seconds += point.train_seconds or 0.0
        figures = {name: value for name, value in self._table.summary.items() if name != "front"}
        self._tracker.log_metrics(figures, len(self._table.frame))
        if time.monotonic() - self._pictured > FIGURE_SECONDS:
            self._tracker.log_figure(front_figure(self._table.frame), "front.png")
            self._pictured = time.monotonic()

    def reread(self, point: Point, accuracies: dict[str, float]) -> None:
        """Records what held-out readers have read of a point."""
        with self._lock:
            self._table.update(point.point_id, {READER + name: value for name, value in accuracies.items()})
        self._tracker.log_readings(point, accuracies)
        self._display.reread(point, accuracies)

    def _logged(self, point_id: str, run_id: str | None) -> None:
        """Notes in the table which run of MLflow holds a point; `complete` finds out again what a kill loses of it."""
        with self._lock:
            self._table.note(point_id, {"mlflow_run_id": run_id})

    def settle(self, seconds: float = SETTLING_SECONDS) -> None:
        """Waits for MLflow to take what waits, for so many seconds at most; then writes the table of points."""
        try:
            self._tracker.settle(seconds)
        finally:
            with self._lock:
                self._table.write()

    def complete(self) -> None:
        """Gives MLflow the points of the table that neither its runs nor what waited for it held at the start."""
        for point in listed(self._table.frame.filter(~pl.col("point_id").is_in(self._tracker.waiting))):
            run_id = self._tracker.run_of(point)
            if run_id != point.mlflow_run_id:
                self._logged(point.point_id, run_id)
            if run_id is None:
                self._tracker.log_point(point)
        self._log_front()

    def _log_front(self) -> None:
        self._tracker.log_front(self._table.frame.filter("on_front")["point_id"])
