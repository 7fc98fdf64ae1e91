"""MLflow as a sweep sees it: entries go into a queue in the folder of the run, so that no sweep waits for a store."""

import base64
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from datagen.errors import reason
from datagen.files import atomic
from models.files.model import TrainedCodec
from sweep.results import readings
from sweep.results.point import READER, Identity, Point
from sweep.tracking import entries, mlflow_runs, mlflow_store
from sweep.tracking.mlflow_runs import FRONT
from sweep.tracking.outbox import Entry, Outbox, RefusedError
from sweep.training.loop import Progress

logger = logging.getLogger(__name__)

SETTLING_SECONDS = 60.0
"""How long a finished sweep waits for MLflow to take what waits in the queue."""
LEAVING_SECONDS = 5.0
"""How long an interrupted sweep waits for MLflow to take what waits in the queue."""


class Tracker:
    """Writes one sweep to MLflow, in order, each thing once, whenever it can be reached."""

    def __init__(
        self,
        uri: str,
        sweep_id: str,
        folder: Path,
        params: Mapping[str, Any],
        say: Callable[[str], None] = logger.warning,
    ) -> None:
        """Opens the store and the sweep's run; `start` begins to write.

        Args:
            folder: the run's.
            params: of the sweep's run.
            say: told what fails.

        Raises:
            SweepError: the store cannot be opened.
        """
        self._uri = uri
        self._folder = folder
        self._say = say
        self._runs = mlflow_runs.Runs(uri, sweep_id, folder, params)
        self._queue = folder / "tune" / "mlflow"
        self._outbox = Outbox(self._queue, self._write, self._tell)
        self._test: dict[str, dict[str, Any]] = {}
        self._front, self._pictured, self._modeled = (
            self._runs.on_front(),
            self._runs.pictured(),
            self._runs.modeled(),
        )
        waiting = self._outbox.waiting()
        for entry in waiting:
            self._note(entry)
        self.waiting = {point_id for entry in waiting if (point_id := _ended(entry))}
        """Ids of the finished points that an earlier process has left in the queue."""
        self._logged: Callable[[str, str], None] = lambda point_id, run_id: None

    def start(self, logged: Callable[[str, str], None]) -> None:
        """Begins to write, first what an earlier process has left; `logged` is told, in a thread, the id of each
        finished point and the id of that point's run."""
        self._logged = logged
        self._put(status="RUNNING")
        self._outbox.start()

    @property
    def page(self) -> str:
        """What follows the address of MLflow's page where the sweep is shown."""
        return self._runs.page

    def run_of(self, point: Point) -> str | None:
        """The run that held all of a finished point when the store was opened."""
        return self._runs.ended(point)

    def log_dataset(self, folder: Path, digest: str, splits: dict[str, pl.DataFrame]) -> None:
        """Names the images that the sweep trains on and measures, a split each, on the parent run."""
        datasets = mlflow_store.described(folder, digest, splits)
        self._test = {split: datasets[split] for split in datasets if split == "test"}
        self._put(datasets=datasets)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Logs parameters of the sweep that were not known when it began."""
        self._put(params={name: str(value) for name, value in params.items()})

    def log_shared_progress(self, stage: str, progress: Progress) -> None:
        """Logs loss terms of training that all points share, on the parent run, as `stage 1/*` and `stage 2/*`."""
        self._put(metrics=entries.terms(stage, progress), step=progress.step, curve=stage)

    def log_progress(self, identity: Identity, progress: Progress) -> None:
        """Logs loss terms of a point under way, by step, as `train/*`."""
        self._put(identity, metrics=entries.terms("train", progress), step=progress.step, curve=identity.point_id)

    def log_point(self, point: Point) -> None:
        """Logs all that was measured of a finished point, and a table of what was read in each image.

        Figures of the validation images are called `val/*`. The point is not on the front before `log_front` says so.
        """
        own = () if point.test is None else point.test.readings
        # A point out of the table comes without them.
        read = readings.table(point.point_id, own or readings.of_point(readings.read(self._folder), point.point_id))
        datasets = self._test if point.test is not None else {}
        self._put(point.identity, **entries.of_point(point, read), datasets=datasets)

    def log_front(self, point_ids: Iterable[str]) -> None:
        """Sets the tag `on_front` of the points that have come onto the front or left it since it was logged last."""
        front = {*point_ids}
        for point_id in sorted(front ^ self._front):
            self._send(Entry(point={"point_id": point_id}, tags={FRONT: str(point_id in front).lower()}, adds=True))

    def pictured(self, point: Point) -> bool:
        """Whether pictures of a point are logged."""
        return point.point_id in self._pictured

    def log_pictures(self, point: Point, pictures: Mapping[str, bytes]) -> None:
        """Logs PNG files, by name, for the grid of images that MLflow shows of a point."""
        encoded = {name: base64.b64encode(png).decode() for name, png in pictures.items()}
        self._put(point.identity, images=encoded, adds=True)

    def modeled(self, point: Point) -> bool:
        """Whether a point has a logged model."""
        return point.point_id in self._modeled

    def log_model(self, point: Point, model: TrainedCodec) -> None:
        """Logs a finished point's codec as a model of the point's run, with figures and the test images."""
        file = self._queue / f"{point.point_id}.pt"
        model.save(file)
        self._put(point.identity, model=os.path.relpath(file, self._folder), adds=True)

    def log_readings(self, point: Point, accuracies: Mapping[str, float]) -> None:
        """Logs the accuracies of other readers, by name, on a finished point."""
        metrics = {READER + name: accuracy for name, accuracy in accuracies.items()}
        self._put(point.identity, metrics=entries.numbers(metrics), adds=True)

    def log_metrics(self, values: Mapping[str, Any], step: int) -> None:
        """Logs figures of the whole sweep, such as `hypervolume`, after `step` points."""
        self._put(metrics=entries.numbers(values), step=step, curve="sweep")

    def log_figure(self, figure: Figure, name: str) -> None:
        """Draws a picture into the folder of the run, and replaces the picture of that name on the parent run."""
        with atomic(self._folder / name) as partial:
            figure.savefig(partial, format="png")  # pyright: ignore[reportUnknownMemberType]
        self.log_file(self._folder / name)

    def log_file(self, path: Path) -> None:
        """Copies a file to the parent run, in the state in which it is when the queue comes to it."""
        self._send(Entry(file=os.path.relpath(path, self._folder)))

    def finish(self, status: str) -> None:
        """Ends the parent run as FINISHED, KILLED or FAILED."""
        self._put(status=status)

    def settle(self, seconds: float = SETTLING_SECONDS) -> None:
        """Waits for the queue to empty, for so many seconds at most, and tells what MLflow lacks after that."""
        if left := self._outbox.settle(seconds):
            self._say(f"MLflow at {self._uri} lacks {left} entries of this sweep; --resume sends them")

    def _put(self, point: Identity | None = None, **content: Any) -> None:
        named = None if point is None else point.columns()
        self._send(Entry(point=named, time_ms=time.time_ns() // 1_000_000, **content))

    def _send(self, entry: Entry) -> None:
        self._note(entry)
        self._outbox.put(entry)

    def _note(self, entry: Entry) -> None:
        """Keeps in mind what a run will say of its point once an entry is written."""
        point_id = entry.point["point_id"] if entry.point is not None else ""
        if entry.tags.get(FRONT) == "true":
            self._front.add(point_id)
        elif FRONT in entry.tags:
            self._front.discard(point_id)
        if entry.images:
            self._pictured.add(point_id)
        if entry.model is not None:
            self._modeled.add(point_id)

    def _write(self, entry: Entry) -> None:
        run_id = self._runs.write(entry)
        if point_id := _ended(entry):
            self._logged(point_id, run_id)

    def _tell(self, error: Exception) -> None:
        logger.info("MLflow at %s", self._uri, exc_info=error)
        if isinstance(error, RefusedError):
            self._say(f"MLflow at {self._uri} refuses an entry of this sweep, which is left out: {error}")
            return
        self._say(
            f"MLflow at {self._uri} fails ({reason(error)}); the sweep goes on, points.parquet keeps its points, "
            "and what MLflow lacks is sent when it answers again, or with --resume"
        )


def _ended(entry: Entry) -> str | None:
    """The id of the point that an entry ends, if the entry ends one."""
    return entry.point["point_id"] if entry.point is not None and entry.status is not None else None
