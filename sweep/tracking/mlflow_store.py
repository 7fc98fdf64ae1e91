"""The store of MLflow that a sweep writes to: which one, how it is opened, and the experiment that holds all sweeps."""

import json
import os
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import mlflow
import polars as pl
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.polars_dataset import from_polars
from mlflow.entities import Experiment, LifecycleStage
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from datagen.errors import reason
from datagen.files import file_lock
from sweep.errors import SweepError
from sweep.results.folder import openable, plain, sqlite_file
from sweep.tracking import notes, relocation
from sweep.tracking.outbox import StoreError

# A request that has timed out may have reached the server. Our own queue looks before it asks again, and can wait.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
# A bar for each file.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# Two lines a point, in the midst of our display.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

P = ParamSpec("P")
T = TypeVar("T")

EXPERIMENT = "tfic-sweep"
NOTE = MLFLOW_RUN_NOTE
"""The tag of a run or an experiment whose Markdown the page shows as a description."""
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development", NOTE: notes.EXPERIMENT}
"""Tags of the experiment: MLflow's page opens with training runs, not with traces, and says what to look at."""


PAGE = "#/experiments/{}/runs?workflowType=machine_learning"
"""Where MLflow's page shows an experiment; without the last part it shows traces of chat applications, of which we have
none."""


class Store(NamedTuple):
    """An open store."""

    client: MlflowClient
    experiment_id: str


def opened(uri: str) -> Store:
    """The store, migrated to this MLflow's tables, with the experiment.

    Raises:
        SweepError: the experiment is deleted.
        StoreError, OSError, sqlite3.Error: the store cannot be opened.
    """
    with _alone(uri):
        client = asked(MlflowClient, openable(uri), openable(uri))
        experiment = _experiment(client, uri)
        relocation.mend(uri, EXPERIMENT)
    # What people have chosen or written in the page stays.
    for name, value in EXPERIMENT_TAGS.items():
        if name not in experiment.tags:
            asked(client.set_experiment_tag, experiment.experiment_id, name, value)
    return Store(client, experiment.experiment_id)


def answered(uri: str) -> None:
    """Nothing, if the store answers; the sweep's experiment is not made.

    Raises:
        StoreError: it does not.
    """
    asked(asked(MlflowClient, openable(uri), openable(uri)).get_experiment_by_name, EXPERIMENT)


OPENING_ERRORS = (StoreError, OSError, sqlite3.Error)
"""What `opened` raises for a store that cannot be opened."""


def _experiment(client: MlflowClient, uri: str) -> Experiment:
    experiment = asked(client.get_experiment_by_name, EXPERIMENT)
    if experiment is None:
        create_experiment(client, uri)
        return _experiment(client, uri)
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        restore = f"mlflow experiments restore --experiment-id {experiment.experiment_id}"
        raise SweepError(
            f"experiment {EXPERIMENT} is deleted in MLflow at {uri}; "
            f"run MLFLOW_TRACKING_URI={shlex.quote(uri)} {restore}, and add --resume"
        )
    return experiment


def create_experiment(client: MlflowClient, uri: str) -> None:
    """Makes the experiment, unless another sweep makes it at this moment.

    Pictures of a SQLite store lie beside its file; by MLflow's own choice, in the folder that a sweep starts from.
    """
    file = sqlite_file(uri)
    pictures = None if file is None else relocation.place(file, EXPERIMENT).as_uri()
    try:
        asked(client.create_experiment, EXPERIMENT, artifact_location=pictures)
    except StoreError as error:
        if code(error) != "RESOURCE_ALREADY_EXISTS":
            raise


def asked(method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of a method of MLflow's client. Nothing else is guarded, so that our own mistakes are seen as ours.

    Raises:
        StoreError: it fails, for a reason of one of the many libraries that stores of runs and of files are made of.
    """
    try:
        return method(*args, **kwargs)
    except Exception as error:
        raise StoreError(reason(error)) from error


def code(error: StoreError) -> str | None:
    """MLflow's own word for what went wrong."""
    return getattr(error.__cause__, "error_code", None)


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


def _alone(uri: str) -> AbstractContextManager[Any]:
    """Keeps other sweeps from opening a SQLite file during the block: the first to open a new file makes the tables."""
    file = sqlite_file(uri)
    return nullcontext() if file is None else file_lock(Path(f"{file}.lock"))
