"""The sweep in MLflow: one parent run, one child a point; the only place that knows MLflow.

Only the driver writes, so that a SQLite store serves any number of workers.
"""

import json
import os
import shlex
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import mlflow
import polars as pl
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.polars_dataset import from_polars
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, Run, RunTag, ViewType
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID

from datagen.errors import reason
from datagen.files import file_lock
from sweep.errors import SweepError
from sweep.results.folder import openable, plain, sqlite_file
from sweep.results.point import Point
from sweep.tracking import relocation
from sweep.tracking.outbox import Entry, RefusedError, StoreError

# A request that has timed out may have reached the server. Our own queue looks before it asks again, and can wait.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
# Two lines a point, in the midst of our display.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

P = ParamSpec("P")
T = TypeVar("T")

EXPERIMENT = "tfic-sweep"
SWEEP_TAG = "tfic.sweep_id"
POINT_TAG = "tfic.point_id"
PARENT = "parent"
"""The value of POINT_TAG on the run of the sweep itself."""
MOST = 50_000
"""The most runs that MLflow lists in one answer."""
PARAMS = (
    *("kind", "codec", "seed", "lambda", "beta", "distortion_weight"),
    *("learning_rate", "stage1_steps", "stage2_steps"),
)
ENDED = {"complete": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""MLflow's words for ours."""
REFUSALS = ("INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST")
"""MLflow's error codes for an entry that MLflow will not take, or whose run is not there."""


class Runs:
    """One sweep's runs in a store; those that are there already are found by tag and continued."""

    def __init__(self, uri: str, sweep_id: str, folder: Path, params: Mapping[str, Any]) -> None:
        """Opens the store, which migrates it once, and the sweep's parent run.

        Args:
            folder: the sweep's; its name is the parent run's.
            params: of a new parent run.

        Raises:
            SweepError: it cannot be opened.
        """
        self._uri = uri
        self._sweep_id = sweep_id
        self._folder = folder
        self._params = params
        try:
            with _alone(uri):
                self._client = asked(MlflowClient, openable(uri))
                self._experiment = self._experiment_id()
                relocation.mend(uri, EXPERIMENT)
            self._find()
        except (StoreError, OSError, sqlite3.Error) as error:
            raise SweepError(
                f"MLflow at {uri} cannot be opened ({reason(error)}); "
                "set MLFLOW_TRACKING_URI to a store that can, and add --resume"
            ) from error

    def ended(self, point: Point) -> str | None:
        """The run that holds all of a finished point."""
        run = self._known.get(point.point_id)
        return run.info.run_id if run is not None and run.info.status == ENDED[point.status] else None

    def write(self, entry: Entry) -> str:
        """Writes an entry to the run that it belongs to, and returns the run; writing an entry twice changes nothing.

        Raises:
            RefusedError: the store will never take it.
            StoreError: the store fails, and may take it later.
        """
        try:
            return self._write(entry)
        except StoreError as error:
            self._ids.clear()
            if not _is_refusal(error):
                raise
        # Somebody may have deleted its run.
        self._find()
        try:
            return self._write(entry)
        except StoreError as error:
            if not _is_refusal(error):
                raise
            raise RefusedError(reason(error)) from error

    def _write(self, entry: Entry) -> str:
        run_id = self._run_of(entry)
        asked(
            self._client.log_batch,
            run_id,
            [Metric(name, value, entry.time_ms, entry.step) for name, value in entry.metrics.items()],
            [Param(name, value) for name, value in entry.params.items()],
            [RunTag(name, value) for name, value in entry.tags.items()],
            synchronous=True,
        )
        if entry.datasets:
            asked(self._client.log_inputs, run_id, [_input(split, values) for split, values in entry.datasets.items()])
        if entry.file is not None:
            asked(self._client.log_artifact, run_id, str(self._folder / entry.file))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if entry.status == "RUNNING":
            asked(self._client.update_run, run_id, status=entry.status)
        elif entry.status is not None:
            if entry.point is None:
                self._find()
            asked(self._client.set_terminated, run_id, entry.status, entry.time_ms)
        return run_id

    def _run_of(self, entry: Entry) -> str:
        """The run that an entry belongs to, found or made."""
        if entry.point is None:
            return self.parent_id
        point_id = entry.point["point_id"]
        if point_id not in self._ids:
            found = asked(self._client.search_runs, [self._experiment], self._query(point_id), max_results=MOST)
            self._ids[point_id] = self._one(found).info.run_id if found else self._create(entry.point, entry.time_ms)
        return self._ids[point_id]

    def _create(self, identity: dict[str, Any], time_ms: int) -> str:
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: identity["point_id"], MLFLOW_PARENT_RUN_ID: self.parent_id}
        run_id = asked(self._client.create_run, self._experiment, time_ms, tags, _name(identity)).info.run_id
        asked(self._client.log_batch, run_id, params=[Param(*pair) for pair in given(identity, PARAMS).items()])
        return run_id

    def _find(self) -> None:
        """Looks up all runs of the sweep: restores a deleted parent, and moves runs of points below the parent."""
        found = asked(self._client.search_runs, [self._experiment], self._query(), ViewType.ALL, MOST)
        runs: defaultdict[str, list[Run]] = defaultdict(list)
        for run in found:
            runs[run.data.tags[POINT_TAG]].append(run)
        self.parent_id = self._parent(runs.pop(PARENT, []))
        alive = {point_id: [run for run in group if _is_active(run)] for point_id, group in runs.items()}
        self._known = {point_id: self._one(group) for point_id, group in alive.items() if group}
        self._ids = {point_id: run.info.run_id for point_id, run in self._known.items()}
        for run in self._known.values():
            if run.data.tags.get(MLFLOW_PARENT_RUN_ID) != self.parent_id:
                asked(self._client.set_tag, run.info.run_id, MLFLOW_PARENT_RUN_ID, self.parent_id)

    def _parent(self, found: list[Run]) -> str:
        if active := [run for run in found if _is_active(run)]:
            return self._one(active).info.run_id
        if found:
            run_id = _fullest(found)[0].info.run_id
            asked(self._client.restore_run, run_id)
            return run_id
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: PARENT}
        run_id = asked(self._client.create_run, self._experiment, tags=tags, run_name=self._folder.name).info.run_id
        asked(self._client.log_batch, run_id, params=[Param(name, str(value)) for name, value in self._params.items()])
        return run_id

    def _one(self, runs: list[Run]) -> Run:
        """The fullest of several runs of one point; the others are deleted.

        They came of requests that had timed out and arrived all the same.
        """
        kept, *others = _fullest(runs)
        for other in others:
            asked(self._client.delete_run, other.info.run_id)
        return kept

    def _query(self, point_id: str | None = None) -> str:
        """A filter for MLflow that finds the runs of the sweep, or the run of one point."""
        sweep = f"tags.`{SWEEP_TAG}` = '{self._sweep_id}'"
        return sweep if point_id is None else f"{sweep} and tags.`{POINT_TAG}` = '{point_id}'"

    def _experiment_id(self) -> str:
        experiment = asked(self._client.get_experiment_by_name, EXPERIMENT)
        if experiment is None:
            return self._new_experiment()
        if experiment.lifecycle_stage == LifecycleStage.DELETED:
            restore = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
            raise SweepError(
                f"experiment {EXPERIMENT} is deleted in MLflow at {self._uri}; "
                f"run MLFLOW_TRACKING_URI={shlex.quote(self._uri)} {restore}, and add --resume"
            )
        return experiment.experiment_id

    def _new_experiment(self) -> str:
        """The id of an experiment that is made here, or at this moment by another sweep.

        Pictures of a SQLite store lie beside its file; by MLflow's own choice, in the folder that a sweep starts from.
        """
        file = sqlite_file(self._uri)
        pictures = None if file is None else relocation.place(file, EXPERIMENT).as_uri()
        try:
            return asked(self._client.create_experiment, EXPERIMENT, artifact_location=pictures)
        except StoreError as error:
            if _code(error) != "RESOURCE_ALREADY_EXISTS":
                raise
            return self._experiment_id()


def asked(method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of a method of MLflow's client. Nothing else is guarded, so that our own mistakes are seen as ours.

    Raises:
        StoreError: it fails, for a reason of one of the many libraries that stores of runs and of files are made of.
    """
    try:
        return method(*args, **kwargs)
    except Exception as error:
        raise StoreError(reason(error)) from error


def described(folder: Path, digest: str, splits: dict[str, pl.DataFrame]) -> dict[str, dict[str, Any]]:
    """The images that a sweep trains on and measures, a split each, as MLflow names data sets."""
    # A path alone would be resolved by two of MLflow's kinds of source, which it warns of.
    source = get_dataset_source_from_json(json.dumps({"uri": str(folder)}), "local")
    frames = splits.items()
    return {name: {**from_polars(frame, source=source, name=name, digest=digest).to_dict()} for name, frame in frames}


def default_uri() -> str:
    """MLflow's own choice: MLFLOW_TRACKING_URI, or a SQLite file in the working directory."""
    return plain(mlflow.get_tracking_uri())


def chosen_uri() -> str | None:
    """MLFLOW_TRACKING_URI, where the user has set it."""
    return default_uri() if mlflow.is_tracking_uri_set() else None


def given(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """The columns of these names that are not null, in MLflow's words."""
    return {name: str(row[name]) for name in names if row.get(name) is not None}


def _alone(uri: str) -> AbstractContextManager[Any]:
    """Keeps other sweeps from opening a SQLite file during the block: the first to open a new file makes the tables."""
    file = sqlite_file(uri)
    return nullcontext() if file is None else file_lock(Path(f"{file}.lock"))


def _input(split: str, values: dict[str, Any]) -> DatasetInput:
    return DatasetInput(Dataset(**values), [InputTag(MLFLOW_DATASET_CONTEXT, split)])


def _is_active(run: Run) -> bool:
    return run.info.lifecycle_stage == LifecycleStage.ACTIVE


def _is_refusal(error: StoreError) -> bool:
    # A file to be copied may be gone.
    return isinstance(error.__cause__, FileNotFoundError) or _code(error) in REFUSALS


def _code(error: StoreError) -> str | None:
    """MLflow's own word for what went wrong."""
    return getattr(error.__cause__, "error_code", None)


def _fullest(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: len(run.data.metrics), reverse=True)


def _name(identity: dict[str, Any]) -> str:
    match identity["kind"]:
        case "tfic":
            return f"tfic λ={identity['lambda']:.2g} β={identity['beta']:.2g}"
        case "base":
            return f"base λ={identity['lambda']:.2g}"
        case "classical" | "text":
            return identity["point_id"]
        case kind:
            return kind
