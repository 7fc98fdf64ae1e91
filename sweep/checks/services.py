"""Whether MLflow can be written to."""

import os
import re
import sqlite3
from pathlib import Path

from datagen.errors import reason
from sweep.checks.finding import Finding
from sweep.results.folder import sqlite_file
from sweep.tracking import mlflow_store

PASSWORD = re.compile("//[^@/]*@")
"""In the address of a store, who asks, and the password."""


def mlflow() -> Finding:
    """Whether the store of MLflow that a sweep would write to answers; it is not changed."""
    uri = mlflow_store.default_uri()
    shown, file = PASSWORD.sub("//…@", uri), sqlite_file(uri)
    try:
        if file is not None:
            return Finding("ok", "MLflow", f"{shown} {_opened(file)}")
        mlflow_store.answered(uri)
    except mlflow_store.OPENING_ERRORS as error:
        said = PASSWORD.sub("//…@", reason(error))
        fix = "start the server, or set MLFLOW_TRACKING_URI to another store"
        return Finding("FAIL", "MLflow", f"{shown} does not answer ({said})", fix)
    return Finding("ok", "MLflow", f"{shown} answers")


def _opened(file: Path) -> str:
    if not file.exists():
        if os.access(file.absolute().parent, os.W_OK):
            return "is new, and will be made"
        raise PermissionError(f"{file.absolute().parent} cannot be written")
    if not os.access(file, os.W_OK):
        raise PermissionError("the file cannot be written")
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        [runs] = connection.execute("select count(*) from runs").fetchone()
    finally:
        connection.close()
    return f"answers, with {runs} runs"
