"""The sweep's runs in MLflow: one parent run, one child a point.

Only the driver writes, so that a SQLite store serves any number of workers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import LifecycleStage, Param, Run, ViewType
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_IMAGES, MLFLOW_PARENT_RUN_ID

from datagen.errors import reason
from sweep.errors import SweepError
from sweep.results.point import Point
from sweep.tracking import mlflow_content, mlflow_store, notes
from sweep.tracking.mlflow_store import NOTE, OPENING_ERRORS, asked, code
from sweep.tracking.outbox import Entry, RefusedError, StoreError

SWEEP_TAG = "tfic.sweep_id"
POINT_TAG = "tfic.point_id"
MODEL_TAG = "tfic.model_id"
"""The logged model of a point."""
PARENT = "parent"
"""The value of POINT_TAG on the run of the sweep itself."""
MOST = 50_000
"""The most runs that MLflow lists in one answer."""
PARAMS = (
    *("seed", "lambda", "beta", "distortion_weight", "text_weight"),
    *("learning_rate", "stage1_steps", "stage2_steps"),
)
FILTERS = ("kind", "codec")
"""Columns that are tags, to filter by, and no params: the page compares runs by the params in which they differ."""
FRONT = "on_front"
"""The tag that tells whether a point is on the front: true or false."""
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
        self._sweep_id = sweep_id
        self._folder = folder
        self._params = params
        try:
            self._client, self._experiment = mlflow_store.opened(uri)
            self._find()
        except OPENING_ERRORS as error:
            raise SweepError(
                f"MLflow at {uri} cannot be opened ({reason(error)}); "
                "set MLFLOW_TRACKING_URI to a store that can, and add --resume"
            ) from error

    @property
    def page(self) -> str:
        """What follows the address of MLflow's page where the runs are shown."""
        return mlflow_store.PAGE.format(self._experiment)

    def ended(self, point: Point) -> str | None:
        """The run that holds all of a finished point."""
        run = self._known.get(point.point_id)
        return run.info.run_id if run is not None and run.info.status == ENDED[point.status] else None

    def on_front(self) -> set[str]:
        """The points whose runs said, when the store was opened, that they are on the front."""
        return {point_id for point_id, run in self._known.items() if run.data.tags.get(FRONT) == "true"}

    def pictured(self) -> set[str]:
        """The points whose runs had pictures when the store was opened."""
        return {point_id for point_id, run in self._known.items() if MLFLOW_LOGGED_IMAGES in run.data.tags}

    def modeled(self) -> set[str]:
        """The points whose runs had logged models when the store was opened."""
        return {point_id for point_id, run in self._known.items() if MODEL_TAG in run.data.tags}

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
            self._all_known = False
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
        mlflow_content.write(self._client, run_id, entry, self._folder)
        if entry.model is not None:
            self._write_model(run_id, self._folder / entry.model)
        if entry.status == "RUNNING":
            asked(self._client.update_run, run_id, status=entry.status)
        elif entry.status is not None:
            if entry.point is None:
                self._find()
            asked(self._client.set_terminated, run_id, entry.status, entry.time_ms)
        return run_id

    def _write_model(self, run_id: str, model: Path) -> None:
        # What MLflow needs for it takes seconds to import.
        from sweep.tracking import logged_models

        logged_models.of_run(self._client, run_id, model)
        model.unlink(missing_ok=True)

    def _run_of(self, entry: Entry) -> str:
        """The run that an entry belongs to, found or made."""
        if entry.point is None:
            return self.parent_id
        point_id = entry.point["point_id"]
        if point_id not in self._ids:
            # What a failed request has made is not known here.
            found = [] if self._all_known else self._search(point_id)
            self._ids[point_id] = self._one(found).info.run_id if found else self._create(entry)
        return self._ids[point_id]

    def _search(self, point_id: str) -> list[Run]:
        return asked(self._client.search_runs, [self._experiment], self._query(point_id), max_results=MOST)

    def _create(self, entry: Entry) -> str:
        """A new run for the point of an entry.

        Raises:
            RefusedError: the entry only adds to a run, which somebody has deleted.
        """
        identity = entry.point or {}
        if entry.adds:
            raise RefusedError(f"the run of point {identity['point_id']} is deleted")
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: identity["point_id"], MLFLOW_PARENT_RUN_ID: self.parent_id}
        tags |= given(identity, FILTERS)
        name = notes.name(identity)
        began_ms = entry.time_ms - round(1000 * entry.metrics.get("train_seconds", 0))
        run_id = asked(self._client.create_run, self._experiment, began_ms, tags, name).info.run_id
        # An entry that ends a point has them itself.
        if not entry.params:
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
        self._all_known = True
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
        tags = {SWEEP_TAG: self._sweep_id, POINT_TAG: PARENT, "kind": "sweep", NOTE: notes.SWEEP}
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


def given(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """The columns of these names that are not null, in MLflow's words."""
    return {name: str(row[name]) for name in names if row.get(name) is not None}


def _is_active(run: Run) -> bool:
    return run.info.lifecycle_stage == LifecycleStage.ACTIVE


def _is_refusal(error: StoreError) -> bool:
    # A file to be copied may be gone.
    return isinstance(error.__cause__, FileNotFoundError) or code(error) in REFUSALS


def _fullest(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: len(run.data.metrics), reverse=True)
