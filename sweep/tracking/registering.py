"""The logged model of a point, registered under a name as its newest version."""

import json
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from datagen.errors import reason
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.tracking import logged_models, mlflow_store
from sweep.tracking.mlflow_store import OPENING_ERRORS, asked, code
from sweep.tracking.outbox import StoreError

ALIAS = "champion"
"""Of the version that was registered last."""
DESCRIPTION = "An image of text to a .tfic file, or to the text that is read in the file."


def register(run: RunFolder, point: Point, model: Path, name: str) -> str:
    """Registers a point's codec as a new version of a model in the MLflow of the run, and returns the model's URI.

    Args:
        model: the exported file, model.pt, which is logged where no model of the point is.
        name: of the registered model, which is made if there is none.

    Raises:
        SweepError: MLflow cannot be opened, fails, or has no run of the point.
    """
    if point.mlflow_run_id is None:
        raise SweepError(
            f"MLflow at {run.tracking_uri} has no run of point {point.point_id}; "
            f"python -m sweep.run --resume --out {run.path} sends it"
        )
    try:
        store = mlflow_store.opened(run.tracking_uri)
        logged = logged_models.of_run(store.client, point.mlflow_run_id, model)
        return _registered(store.client, logged, name)
    except OPENING_ERRORS as error:
        raise SweepError(
            f"MLflow at {run.tracking_uri} does not register {name} ({reason(error)}); the model is in {model}"
        ) from error


def _registered(client: MlflowClient, logged: LoggedModel, name: str) -> str:
    """Makes a logged model the newest version of a registered one, and returns the URI of the newest version."""
    try:
        asked(client.create_registered_model, name, description=DESCRIPTION)
    except StoreError as error:
        if code(error) != "RESOURCE_ALREADY_EXISTS":
            raise
    made = asked(
        client.create_model_version,
        name,
        logged.artifact_location,
        logged.source_run_id,
        model_id=logged.model_id,
    )
    asked(client.set_registered_model_alias, name, ALIAS, str(made.version))
    # The page of the logged model leads to its versions by this tag.
    known = json.loads(logged.tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
    named = json.dumps([*known, {"name": name, "version": str(made.version)}])
    asked(client.set_logged_model_tags, logged.model_id, {MLFLOW_MODEL_VERSIONS: named})
    return f"models:/{name}@{ALIAS}"
