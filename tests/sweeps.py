"""A whole sweep that is finished, for tests of what it leaves and of what goes on with it."""

from pathlib import Path
from typing import NamedTuple

import polars as pl
from mlflow import MlflowClient
from mlflow.entities import Run

from sweep.tracking.mlflow_store import EXPERIMENT

RUN = Path("runs", "smoke")
SMOKE = ("--preset", "smoke", "--budget", "2", "--from-scratch")
KINDS = {"base": 2, "tfic": 2, "uncompressed": 1}
"""Points of a sweep beside those of the baselines, whose number the images decide."""


class Finished(NamedTuple):
    """A working directory with a finished run, which all tests read and none changes."""

    folder: Path
    said: str
    """What the sweep printed."""
    complained: str
    """What the sweep printed on standard error."""

    @property
    def run(self) -> Path:
        return self.folder / RUN


def kinds(frame: pl.DataFrame) -> dict[str, int]:
    """Points of each kind, without those of the baselines."""
    of_sweep = frame.filter(~pl.col("kind").is_in(["classical", "text"]))
    return dict(of_sweep["kind"].value_counts().iter_rows())


def data_of(folder: Path) -> str:
    """The images of the finished run, for another."""
    [data] = (folder / "runs" / "data").iterdir()
    return str(data)


def mlflow_runs(folder: Path) -> list[Run]:
    """All that MLflow holds of the sweeps of a working directory."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))
