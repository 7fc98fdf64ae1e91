"""A run's folder as a sweep leaves it, of codecs with random weights and figures that are made up."""

import statistics
from dataclasses import replace
from pathlib import Path

import torch
from rows import point

from datagen import shards
from datagen.spec import DatasetSpec
from models.files.model import TrainedCodec
from sweep.presets import smoke
from sweep.results.folder import RunFolder
from sweep.results.point import Kind, Point, Reading
from sweep.results.points import PointTable
from sweep.stages import tree

GAINS: dict[Kind, float] = {"tfic": 0.2, "base": 0.1, "classical": 0.0}
"""What each kind of point reads at a rate, over the worst of them."""
CURVE = {0.05: 0.3, 0.1: 0.5, 0.2: 0.6, 0.4: 0.65}
"""What the worst reads, by rate; on validation images, all read 0.01 more at 0.001 bpp more."""
FRONT = ("7f1c2", "7f1d3", "a04e5", "b15f6")
"""Ids of the points of the front, by rising rate."""
PIXELS = 64 * 256


def run(folder: Path, data: Path, spec: DatasetSpec, trained: TrainedCodec) -> RunFolder:
    """Four rates of TFIC points, which are the front, of base points and of classical ones; the uncompressed images."""
    config = replace(smoke(), data=spec)
    made = RunFolder(folder, config, "smoke", data, "id", "sqlite:///mlflow.db")
    made.create()
    made, table = RunFolder.load(folder), PointTable(folder)
    torch.save(trained.codec.state_dict(), folder / "weights.pt")
    for kind, gain in GAINS.items():
        for number, (bpp, accuracy) in enumerate(CURVE.items()):
            name = FRONT[number] if kind == "tfic" else f"{kind}-{number}"
            table.add(_point(name, kind, bpp, accuracy + gain, spec.test))
            if kind != "classical":
                (folder / "checkpoints" / f"{name}.pt").hardlink_to(folder / "weights.pt")
    table.add(_point("uncompressed", "uncompressed", 24.0, 0.95, spec.test))
    table.add(_point("text-english_g2", "text", 0.004, 0.95, spec.test))
    node = tree.as_of(tree.conditioned2(config), shards.digest(data), made.versions)
    torch.save(node.build().state_dict(), folder / "checkpoints" / f"{node.key}.pt")
    return made


def _point(name: str, kind: Kind, bpp: float, accuracy: float, images: int) -> Point:
    """A complete point; images differ in bytes and accuracy."""
    spread = [2 * index / (images - 1) - 1 for index in range(images)]
    readings = tuple(
        Reading(index, round(bpp * PIXELS / 8 * (1 + 0.1 * at)), "word", "word", accuracy + 0.05 * at)
        for index, at in enumerate(spread)
    )
    figures = {"bpp": 8 * statistics.fmean(each.bytes for each in readings) / PIXELS, "accuracy": accuracy}
    figures |= dict.fromkeys(("bpp_payload", "bpp_estimated", "encode_ms", "encode_ms_std", "decode_ms"), bpp)
    columns = {"point_id": name, "kind": kind, "status": "complete", "codec": "small", "psnr_db": 20 + bpp}
    if kind in GAINS:
        columns |= {"val_bpp": bpp + 0.001, "val_accuracy": accuracy + 0.01}
        columns |= {"bpp_own": 0.9 * bpp, "val_bpp_own": 0.9 * bpp + 0.001}
    if kind in ("tfic", "base"):
        columns |= {"lambda": 0.004 / bpp, "beta": bpp / 100 if kind == "tfic" else 0.0, "seed": 0}
        columns |= {"stage1_steps": 80, "stage2_steps": 20, "checkpoint": f"checkpoints/{name}.pt"}
    if kind in ("tfic", "uncompressed"):
        columns |= {"accuracy_tesseract": accuracy - 0.2}
    plain = point(**columns, **figures)
    return replace(plain, test=replace(plain.measured, readings=readings))
