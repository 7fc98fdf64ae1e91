"""The sweep in MLflow: one parent run, one child a point; the only place that knows MLflow.

Only the driver writes, so that a SQLite store serves any number of workers.
"""

import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.polars_dataset import from_polars
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

from sweep.points import Row
from sweep.training import Progress

EXPERIMENT = "tfic-sweep"
SWEEP_TAG = "tfic.sweep_id"
POINT_TAG = "tfic.point_id"
PARAMS = (
    *("kind", "codec", "seed", "lambda", "beta", "distortion_weight"),
    *("learning_rate", "stage1_steps", "stage2_steps"),
)


ENDED = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""MLflow's words for ours."""


class Tracker:
    """Writes one sweep to MLflow; what is there already is found by tag and continued."""

    def __init__(self, uri: str, sweep_id: str, name: str, params: dict[str, Any]) -> None:
        """Opens the store, which migrates it once, and the sweep's parent run."""
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        self._client = MlflowClient(uri)
        self._experiment = self._experiment_id()
        self._sweep_id = sweep_id
        parent = self._find(f"tags.`{SWEEP_TAG}` = '{sweep_id}' and tags.`{POINT_TAG}` = 'parent'")
        if parent is None:
            tags = {SWEEP_TAG: sweep_id, POINT_TAG: "parent"}
            parent = self._client.create_run(self._experiment, tags=tags, run_name=name)
            self._log(parent.info.run_id, params=params)
        self.parent_id = parent.info.run_id
        self._client.update_run(self.parent_id, status="RUNNING")
        self._runs: dict[str, str] = {}

    def dataset(self, folder: Path, digest: str, splits: dict[str, pl.DataFrame]) -> None:
        """Names the images that the sweep trains on and measures, a split each, on the parent run."""
        # A path alone would be resolved by two of MLflow's kinds of source, which it warns of.
        source = get_dataset_source_from_json(json.dumps({"uri": str(folder)}), "local")
        inputs = []
        for split, frame in splits.items():
            described = from_polars(frame, source=source, name=split, digest=digest).to_dict()
            inputs.append(DatasetInput(Dataset(**described), [InputTag(MLFLOW_DATASET_CONTEXT, split)]))
        self._client.log_inputs(self.parent_id, inputs)

    def shared_progress(self, stage: str, progress: Progress) -> None:
        """Loss terms of training that all points share, on the parent run, as `stage 1/*` and `stage 2/*`."""
        self._log(self.parent_id, metrics=_terms(stage, progress), step=progress.step)

    def progress(self, identity: Row, progress: Progress) -> None:
        """Loss terms of a point under way, by step, as `train/*`."""
        self._log(self.run_of(identity), metrics=_terms("train", progress), step=progress.step)

    def point(self, row: Row) -> str:
        """Everything measured of a finished point, what the search was told as `val/*`; returns its run's id."""
        run_id = self.run_of(row)
        metrics = {name.replace("val_", "val/"): value for name, value in row.items() if name not in PARAMS}
        tags = {name: row[name] for name in ("status", "reason", "checkpoint") if name in row}
        self._log(run_id, metrics=metrics, tags=tags, step=_steps(row))
        self._client.set_terminated(run_id, ENDED[row["status"]])
        return run_id

    def reread(self, row: Row, accuracies: Row) -> None:
        """What other readers read of a finished point."""
        self._log(self.run_of(row), metrics=accuracies, step=_steps(row))

    def sweep(self, values: Row, step: int) -> None:
        """The sweep's own figures, such as `hypervolume`, after `step` points."""
        self._log(self.parent_id, metrics=values, step=step)

    def figure(self, figure: Figure, name: str) -> None:
        """Replaces a picture of the parent run."""
        self._client.log_figure(self.parent_id, figure, name)

    def file(self, path: Path) -> None:
        """Copies a file to the parent run."""
        self._client.log_artifact(self.parent_id, str(path))

    def finish(self, status: str) -> None:
        """Ends the parent run as FINISHED or KILLED."""
        self._client.set_terminated(self.parent_id, status)

    def run_of(self, identity: Row) -> str:
        """The child run of a point: this process's, an earlier one's, or a new one."""
        point_id = identity["point_id"]
        if point_id not in self._runs:
            found = self._find(f"tags.`{SWEEP_TAG}` = '{self._sweep_id}' and tags.`{POINT_TAG}` = '{point_id}'")
            self._runs[point_id] = (found or self._create(identity)).info.run_id
        return self._runs[point_id]

    def _create(self, identity: Row) -> Run:
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: identity["point_id"], MLFLOW_PARENT_RUN_ID: self.parent_id}
        run = self._client.create_run(self._experiment, tags=tags, run_name=_name(identity))
        self._log(run.info.run_id, params={name: identity[name] for name in PARAMS if identity.get(name) is not None})
        return run

    def _find(self, query: str) -> Run | None:
        found = self._client.search_runs([self._experiment], query, max_results=1)
        return found[0] if found else None

    def _experiment_id(self) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        return experiment.experiment_id if experiment else self._client.create_experiment(EXPERIMENT)

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
    return {f"{prefix}/{name}": value for name, value in progress._asdict().items() if name not in ("step", "steps")}


def default_uri() -> str:
    """MLflow's own choice: MLFLOW_TRACKING_URI, or a SQLite file in the working directory."""
    return mlflow.get_tracking_uri()


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
