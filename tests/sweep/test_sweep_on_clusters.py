"""Whole sweeps on clusters: of nodes that share no files, and beside another sweep."""

from pathlib import Path

import polars as pl
import pytest
from commands import completed
from sweeps import KINDS, data_of, kinds, mlflow_runs

from datagen import shards
from datagen.spec import SPLITS
from sweep import presets
from sweep.results import points

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_sweep_on_three_nodes_of_which_one_dies_polishes_on_imported_images_without_texts(copied: Path) -> None:
    (copied / "photos").mkdir()
    rows = pl.concat([shards.read(Path(data_of(copied)), split) for split in SPLITS])
    for number, image in enumerate(rows["image"]):
        (copied / "photos" / f"{number}.png").write_bytes(image)
    code, said, _ = completed(copied, "datagen", "import", "photos", "--unlabeled", "--out", "imported")
    assert code == 0, said
    code, said, complained = completed(copied, "three_nodes.py", "runs/nodes", "imported")
    assert code == 0, complained
    assert "2 at a time" in said
    assert "the third node was replaced" in said
    frame = points.read(copied / "runs" / "nodes")
    assert kinds(frame) == KINDS
    fitted = presets.started(presets.smoke()).stage2.steps
    assert set(frame.filter(kind="tfic")["stage2_steps"]) == {fitted + 2}


def test_two_sweeps_share_a_cluster_a_store_and_mlflow(copied: Path) -> None:
    outs = [Path("both", name) for name in ("one", "two")]
    code, said, complained = completed(copied, "drivers_of_a_cluster.py", data_of(copied), *map(str, outs))
    assert code == 0, complained
    # What both train alike, one of them trains.
    assert "waiting for another sweep, which trains the same" in said
    tables = [points.read(copied / out).sort("point_id") for out in outs]
    assert [kinds(table) for table in tables] == [KINDS, KINDS]
    same = ("point_id", "status", "bpp", "accuracy", "val_accuracy")
    assert tables[0].select(same).equals(tables[1].select(same))
    children = [child for child in mlflow_runs(copied) if child.data.tags.get("mlflow.parentRunId")]
    assert {*pl.concat(tables)["mlflow_run_id"]} <= {child.info.run_id for child in children}
    assert {child.info.status for child in children} == {"FINISHED"}
