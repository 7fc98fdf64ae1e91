"""A run from Python."""

import subprocess
import sys
from pathlib import Path

import finished
import numpy as np
import polars as pl
import pytest

from datagen.dataset import TextImages
from models.files import tfic
from models.files.model import TrainedCodec
from sweep import load_run
from sweep.errors import SweepError
from sweep.results.folder import RunFolder

HEAVY = {"torch", "numpy", "polars", "ray", "mlflow", "optuna", "matplotlib", "datagen", "models", "tyro"}


def test_a_run_is_tables_codecs_and_images(
    finished_run: RunFolder, trained: TrainedCodec, test_images: TextImages
) -> None:
    run = load_run(finished_run.path)
    assert run.config == finished_run.config
    assert run.front["point_id"].to_list() == [*finished.FRONT]
    assert run.points.filter("on_front").sort("bpp").equals(run.front)
    assert run.readings["point_id"].n_unique() == len(run.points)
    model = run.codec(run.front["point_id"][0])
    assert model.fingerprint == trained.fingerprint
    images = run.images("test")
    assert np.array_equal(images.images, test_images.images)
    assert tfic.decode(model, tfic.encode(model, images.images[0])).shape == images.images[0].shape


def test_means_over_readings_are_the_points_figures(finished_run: RunFolder) -> None:
    run = load_run(str(finished_run.path))
    means = run.readings.group_by("point_id").agg(pl.col("accuracy").mean())
    both = run.points.join(means, on="point_id", suffix="_of_images")
    assert both["accuracy_of_images"].to_list() == pytest.approx(both["accuracy"].to_list())


def test_a_folder_without_a_run_and_a_point_that_is_not_there_are_named(
    finished_run: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(SweepError, match="holds no run"):
        load_run(tmp_path)
    with pytest.raises(SweepError, match="the nearest"):
        load_run(finished_run.path).codec("none")


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import sys, sweep; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & {*said.split()}
