"""The sweep in MLflow: one parent run, one child a point; the only place that knows MLflow.

Only the driver writes, so that a SQLite store serves any number of workers.
"""

import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
from filelock import FileLock
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.polars_dataset import from_polars
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

from datagen.errors import reason
from sweep.endurance import Endurance, endured
from sweep.errors import SweepError
from sweep.folder import sqlite_file
from sweep.points import Row
from sweep.training import Progress

logger = logging.getLogger(__name__)

# The sweep waits while MLflow tries again: by its own choice for four minutes, at 120 seconds a try.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

EXPERIMENT = "tfic-sweep"
SWEEP_TAG = "tfic.sweep_id"
POINT_TAG = "tfic.point_id"
PARENT = "parent"
"""Stands there for the sweep itself."""
MOST = 50_000
"""Runs that MLflow names at a time."""
PARAMS = (
    *("kind", "codec", "seed", "lambda", "beta", "distortion_weight"),
    *("learning_rate", "stage1_steps", "stage2_steps"),
)
UNLOGGED = ("step", "steps", "workers")
"""Of a training's progress; its charts are over the step."""
ENDED = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""MLflow's words for ours."""


class Tracker:
    """Writes one sweep to MLflow; what is there already is found by tag and continued.

    Once it is open, an error of MLflow's is said, the first time, and ends nothing: the method returns None.
    """

    def __init__(
        self,
        uri: str,
        sweep_id: str,
        name: str,
        params: dict[str, Any],
        say: Callable[[str], None] = logger.warning,
    ) -> None:
        """Opens the store, which migrates it once, and the sweep's parent run.

        Raises:
            SweepError: it cannot be opened.
        """
        # What fails is told by our own display.
        for library in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self._uri = uri
        self._sweep_id = sweep_id
        self.endurance = Endurance(
            lambda error: say(
                f"MLflow at {uri} fails ({reason(error)}); the sweep goes on, points.parquet keeps its points, "
                "and what MLflow lacks of them is logged when it answers again, or with --resume"
            )
        )
        try:
            self._open(name, params)
        except SweepError:
            raise
        except Exception as error:
            raise SweepError(
                f"MLflow at {uri} cannot be opened ({reason(error)}); "
                "set MLFLOW_TRACKING_URI to a store that can, and add --resume"
            ) from None

    def _open(self, name: str, params: dict[str, Any]) -> None:
        with _alone(self._uri):
            self._client = MlflowClient(self._uri)
            self._experiment = self._experiment_id()
        found = self._client.search_runs([self._experiment], self._query(), max_results=MOST)
        self._runs = {run.data.tags[POINT_TAG]: run.info.run_id for run in found}
        parent_id = self._runs.pop(PARENT, None)
        if parent_id is None:
            tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: PARENT}
            parent_id = self._client.create_run(self._experiment, tags=tags, run_name=name).info.run_id
            self._log(parent_id, params=params)
        self.parent_id = parent_id
        self._client.update_run(self.parent_id, status="RUNNING")

    @property
    def run_ids(self) -> list[str]:
        """Runs of points that the store is known to hold."""
        return [*self._runs.values()]

    @endured
    def dataset(self, folder: Path, digest: str, splits: dict[str, pl.DataFrame]) -> None:
        """Names the images that the sweep trains on and measures, a split each, on the parent run."""
        # A path alone would be resolved by two of MLflow's kinds of source, which it warns of.
        source = get_dataset_source_from_json(json.dumps({"uri": str(folder)}), "local")
        inputs = []
        for split, frame in splits.items():
            described = from_polars(frame, source=source, name=split, digest=digest).to_dict()
            inputs.append(DatasetInput(Dataset(**described), [InputTag(MLFLOW_DATASET_CONTEXT, split)]))
        self._client.log_inputs(self.parent_id, inputs)

    @endured
    def shared_progress(self, stage: str, progress: Progress) -> None:
        """Loss terms of training that all points share, on the parent run, as `stage 1/*` and `stage 2/*`."""
        self._log(self.parent_id, metrics=_terms(stage, progress), step=progress.step)

    @endured
    def progress(self, identity: Row, progress: Progress) -> None:
        """Loss terms of a point under way, by step, as `train/*`."""
        with self._run_of(identity) as run_id:
            self._log(run_id, metrics=_terms("train", progress), step=progress.step)

    @endured
    def point(self, row: Row) -> str:
        """Everything measured of a finished point, what the search was told as `val/*`; returns its run's id."""
        metrics = {name.replace("val_", "val/"): value for name, value in row.items() if name not in PARAMS}
        tags = _given(row, ("status", "reason", "checkpoint"))
        with self._run_of(row) as run_id:
            # The params once more: MLflow may have failed between a run and its params.
            self._log(run_id, metrics=metrics, params=_given(row, PARAMS), tags=tags, step=_steps(row))
            self._client.set_terminated(run_id, ENDED[row["status"]])
        return run_id

    @endured
    def reread(self, row: Row, accuracies: Row) -> str:
        """What other readers read of a finished point; returns its run's id."""
        with self._run_of(row) as run_id:
            self._log(run_id, metrics=accuracies, step=_steps(row))
        return run_id

    @endured
    def sweep(self, values: Row, step: int) -> None:
        """The sweep's own figures, such as `hypervolume`, after `step` points."""
        self._log(self.parent_id, metrics=values, step=step)

    @endured
    def figure(self, figure: Figure, name: str) -> None:
        """Replaces a picture of the parent run."""
        self._client.log_figure(self.parent_id, figure, name)

    @endured
    def file(self, path: Path) -> None:
        """Copies a file to the parent run."""
        self._client.log_artifact(self.parent_id, str(path))

    @endured
    def finish(self, status: str) -> None:
        """Ends the parent run as FINISHED or KILLED."""
        self._client.set_terminated(self.parent_id, status)

    @contextmanager
    def _run_of(self, identity: Row) -> Iterator[str]:
        """The child run of a point, to write to: one that the store holds, or a new one."""
        point_id = identity["point_id"]
        if point_id not in self._runs:
            found = self._client.search_runs([self._experiment], self._query(point_id), max_results=1)
            self._runs[point_id] = (found[0] if found else self._create(identity)).info.run_id
        try:
            yield self._runs[point_id]
        except Exception:
            # It may have been deleted meanwhile.
            del self._runs[point_id]
            raise

    def _create(self, identity: Row) -> Run:
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: identity["point_id"], MLFLOW_PARENT_RUN_ID: self.parent_id}
        run = self._client.create_run(self._experiment, tags=tags, run_name=_name(identity))
        self._log(run.info.run_id, params=_given(identity, PARAMS))
        return run

    def _query(self, point_id: str | None = None) -> str:
        """What finds the sweep's runs, or that of one point."""
        sweep = f"tags.`{SWEEP_TAG}` = '{self._sweep_id}'"
        return sweep if point_id is None else f"{sweep} and tags.`{POINT_TAG}` = '{point_id}'"

    def _experiment_id(self) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return self._new_experiment()
        if experiment.lifecycle_stage == LifecycleStage.DELETED:
            restore = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
            raise SweepError(
                f"experiment {EXPERIMENT} is deleted in MLflow at {self._uri}; "
                f"run MLFLOW_TRACKING_URI={self._uri} {restore}, and add --resume"
            )
        return experiment.experiment_id

    def _new_experiment(self) -> str:
        """Its id, also where another sweep makes it at the same time.

        Pictures of a SQLite store lie beside its file; by MLflow's own choice, in the folder that a sweep starts from.
        """
        file = sqlite_file(self._uri)
        pictures = None if file is None else (file.absolute().parent / "mlruns" / EXPERIMENT).as_uri()
        try:
            return self._client.create_experiment(EXPERIMENT, artifact_location=pictures)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self._experiment_id()

    def _log(
        self,
        run_id: str,
        *,
        metrics: Row | None = None,
        params: Row | None = None,
        tags: Row | None = None,
        step: int = 0,
    ) -> None:
        now = int(time.time() * 1000)
        numbers = {k: v for k, v in (metrics or {}).items() if isinstance(v, int | float) and math.isfinite(v)}
        self._client.log_batch(
            run_id,
            [Metric(name, value, now, step) for name, value in numbers.items()],
            [Param(name, str(value)) for name, value in (params or {}).items()],
            [RunTag(name, str(value)) for name, value in (tags or {}).items()],
        )


def _terms(prefix: str, progress: Progress) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in progress._asdict().items() if name not in UNLOGGED}


def default_uri() -> str:
    """MLflow's own choice: MLFLOW_TRACKING_URI, or a SQLite file in the working directory."""
    return mlflow.get_tracking_uri()


def chosen_uri() -> str | None:
    """MLFLOW_TRACKING_URI, where the user has set it."""
    return mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None


def _alone(uri: str) -> AbstractContextManager:
    """In the block, no other sweep opens the same SQLite file: the first one to do so makes its tables."""
    file = sqlite_file(uri)
    return nullcontext() if file is None else FileLock(f"{file}.lock")


def _given(row: Row, names: Iterable[str]) -> Row:
    """The columns of these names that are not null."""
    return {name: row[name] for name in names if row.get(name) is not None}


def _steps(row: Row) -> int:
    return (row.get("stage1_steps") or 0) + (row.get("stage2_steps") or 0)


def _name(identity: Row) -> str:
    match identity["kind"]:
        case "tfic":
            return f"tfic λ={identity['lambda']:.2g} β={identity['beta']:.2g}"
        case "base":
            return f"base λ={identity['lambda']:.2g}"
        case "classical":
            return identity["point_id"]
        case kind:
            return kind
