"""What an entry of the queue holds, written to a run of MLflow: figures, names, data sets, tables, files, pictures."""

# MLflow leaves the arguments of its client partly untyped.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import base64
import io
import json
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_LOGGED_ARTIFACTS
from PIL import Image

from sweep.tracking.mlflow_store import asked
from sweep.tracking.outbox import Entry

PICTURES = "images"
"""Where MLflow looks for the pictures of a run's grid of images."""


def write(client: MlflowClient, run_id: str, entry: Entry, folder: Path) -> None:
    """Writes all of an entry but the status; writing it twice changes nothing.

    Args:
        folder: of the sweep; the entry's file lies there.

    Raises:
        StoreError: MLflow fails or refuses.
    """
    asked(
        client.log_batch,
        run_id,
        [Metric(name, value, entry.time_ms, entry.step) for name, value in entry.metrics.items()],
        [Param(name, value) for name, value in entry.params.items()],
        [RunTag(name, value) for name, value in (entry.tags | _tables(entry)).items()],
        synchronous=True,
    )
    if entry.datasets:
        asked(client.log_inputs, run_id, [_input(split, values) for split, values in entry.datasets.items()])
    for name, columns in entry.tables.items():
        table = {"columns": [*columns], "data": [*zip(*columns.values(), strict=True)]}
        asked(client.log_text, run_id, json.dumps(table, ensure_ascii=False), name)
    if entry.file is not None:
        asked(client.log_artifact, run_id, str(folder / entry.file))
    if entry.images:
        _write_images(client, run_id, entry)


def _write_images(client: MlflowClient, run_id: str, entry: Entry) -> None:
    # MLflow gives each picture a new name, so one that is there already would be there twice.
    there = [file.path for file in asked(client.list_artifacts, run_id, PICTURES)]
    for key, png in entry.images.items():
        if not any(path.startswith(f"{PICTURES}/{key}+step+{entry.step}+") for path in there):
            image = Image.open(io.BytesIO(base64.b64decode(png)))
            asked(client.log_image, run_id, image, key=key, step=entry.step, timestamp=entry.time_ms)


def _tables(entry: Entry) -> dict[str, str]:
    """The tag by which MLflow's page knows which files are tables."""
    named = [{"path": name, "type": "table"} for name in entry.tables]
    return {MLFLOW_LOGGED_ARTIFACTS: json.dumps(named)} if named else {}


def _input(split: str, values: dict[str, Any]) -> DatasetInput:
    return DatasetInput(Dataset(**values), [InputTag(MLFLOW_DATASET_CONTEXT, split)])
