"""Runs as a report finds them: points of all kinds with readings, and codecs without training."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from datagen import dataset
from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from models.metrics import accuracy
from sweep import presets
from sweep.config import StageConfig
from sweep.reporting import contents, pictures
from sweep.reporting.contents import Contents
from sweep.reporting.pictures import Pictures
from sweep.results.folder import RunFolder
from sweep.results.point import Identity, Point, RatePoint, Reading, ValidationMetrics
from sweep.results.points import PointTable
from sweep.trials.target import Target

BASE, TRIALS = (0.1, 0.2), (0.05, 0.1, 0.2)
"""Bits per pixel of the trained points."""


def measured(truths: list[str], bpp: float, lost: int, psnr_db: float | None = 20.0) -> RatePoint:
    """A point that loses the last characters of each text, and takes every s for a 5; of each other text it is sure."""
    said = [text[: max(0, len(text) - lost)].replace("s", "5") if lost else text for text in truths]
    scores = list(map(accuracy, said, truths))
    sure = [0.95 if place % 2 else 0.3 for place in range(len(said))]
    rows = zip(
        range(len(said)), [int(bpp * 2048)] * len(said), said, truths, scores, [0] * len(said), sure, strict=True
    )
    return RatePoint(
        bpp=bpp,
        bpp_own=bpp - 0.01,
        accuracy=float(np.mean(scores)),
        cer=0.5,
        ocr_ms=30.0,
        ocr_ms_std=2.0,
        encode_ms=6.0,
        encode_ms_std=1.0,
        psnr_db=psnr_db,
        readings=tuple(Reading(*row) for row in rows),
    )


def write(run: RunFolder) -> None:
    """Fills a run's folder."""
    codec = codecs.build("small").eval()
    codec.update_tables()
    truths = dataset.load(run.data, "test").texts
    table = PointTable(run.path)

    def add(identity: Identity, test: RatePoint) -> None:
        val = ValidationMetrics(test.bpp, test.accuracy, psnr_db=test.psnr_db)
        table.add(Point(identity=identity, status="complete", test=test, val=val, train_seconds=10.0))

    add(Identity("uncompressed", "uncompressed"), replace(measured(truths, 24.0, 0), encode_ms=None))
    trained = [(Target("base", weight), bpp, 6) for weight, bpp in zip(run.config.search.lambdas, BASE, strict=True)]
    trained += [(Target("tfic", 0.01 / bpp, 0.02), bpp, 4 - place) for place, bpp in enumerate(TRIALS)]
    for target, bpp, lost in (*trained, (Target("tfic", 0.03, 0.001), 0.15, 5)):
        node = target.node(run.config)
        assert node is not None
        torch.save(codec.state_dict(), run.path / "checkpoints" / f"{node.key}.pt")
        (run.path / "checkpoints" / f"{node.key}.json").write_text(json.dumps(asdict(node)))
        add(target.identity(run.config), measured(truths, bpp, lost))
    for curve in ("otsu-g4", "webp-grey-1/2"):
        for bpp, lost in ((0.08, 5), (0.16, 3)):
            test = measured(truths, bpp, lost, 12.0)
            add(Identity(f"{curve}-{bpp}", "classical", curve), replace(test, bpp_own=bpp - 0.04))
    add(Identity("text-english_g2", "text", "text-english_g2"), measured(truths, 0.004, 1, None))
    failed = Target("tfic", 0.2, 0.005).identity(run.config)
    table.add(Point(identity=failed, status="failed", reason="the loss is not finite"))
    front = table.frame.filter("on_front")["point_id"]
    for key in front:
        table.update(key, {"accuracy_tesseract": 0.4})


@pytest.fixture(scope="session")
def make_run(
    tmp_path_factory: pytest.TempPathFactory, data_folder: Path, spec: DatasetSpec
) -> Callable[[str], RunFolder]:
    """Makes a run of a name in a folder of its own."""

    def make(name: str) -> RunFolder:
        config = replace(presets.smoke(), data=spec, strategy="shared", stage1=StageConfig(steps=2))
        run = RunFolder(tmp_path_factory.mktemp("runs") / name, config, "smoke", data_folder, "id", "sqlite:///m.db")
        run.create()
        write(run)
        return run

    return make


@pytest.fixture(scope="session")
def run(make_run: Callable[[str], RunFolder]) -> RunFolder:
    return make_run("first")


@pytest.fixture(scope="session")
def found(run: RunFolder) -> Contents:
    return contents.load(run)


@pytest.fixture(scope="session")
def images(found: Contents) -> Pictures:
    return pictures.of_run(found)
