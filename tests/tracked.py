"""A sweep's tracker for tests, with a point to log."""

from pathlib import Path

from mlflow import MlflowClient

from sweep.results.point import Identity, Point, RatePoint, ValidationMetrics
from sweep.tracking.mlflow_store import EXPERIMENT
from sweep.tracking.tracker import Tracker
from sweep.training.loop import Progress

IDENTITY = Identity("abc", "tfic", "small", 0.01, 0.1, seed=0)
POINT = Point(
    identity=IDENTITY,
    status="complete",
    test=RatePoint(0.1, 0.5, cer=0.6, ocr_ms=9.0, ocr_ms_std=1.0),
    val=ValidationMetrics(0.11, 0.5, 20.0),
)
PROGRESS = Progress(10, 40, 1.0, 0.02, 0.3, 2.0, 1e-4, 1.5)


class Sweep:
    """A tracker, and what it has said and logged."""

    def __init__(self, store: str, sweep_id: str, folder: Path, params: dict[str, str] | None = None) -> None:
        self.said: list[str] = []
        self.logged: dict[str, str] = {}
        self.tracker = Tracker(store, sweep_id, folder, params or {}, self.said.append)
        self.tracker.start(self.logged.__setitem__)

    def point(self, point: Point) -> str:
        """The run of a finished point."""
        self.tracker.log_point(point)
        self.settle()
        return self.logged[point.point_id]

    def settle(self) -> None:
        self.tracker.settle(20)
        assert not self.said

    @property
    def parent_id(self) -> str:
        return self.tracker._runs.parent_id


def runs(store: str, sweep_id: str) -> list:
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return client.search_runs([experiment.experiment_id], f"tags.`tfic.sweep_id` = '{sweep_id}'")
