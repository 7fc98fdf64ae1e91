"""Small sweeps that the benchmarks compare: the cpu preset on fewer images, for fewer steps."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from datagen.spec import DatasetSpec
from sweep import launch, presets
from sweep.config import SweepConfig, override
from sweep.results.folder import RunFolder, new_sweep_id

STEPS = {"stage1": 2_600, "stage2": 3_800}
"""At a scale of 1, whatever the preset's are by now: what was measured stays comparable."""
BETAS, STAGE2 = (2e-3, 0.2), {"batch_size": 32, "distortion_weight": 0.5}
"""As those measurements had them."""


def data() -> DatasetSpec:
    """The preset's images, fewer of them."""
    preset = presets.cpu().data
    assert isinstance(preset, DatasetSpec), "presets are drawn"
    return replace(preset, train=4_000, val=96, test=120)


def config(scale: float, **fields: Any) -> SweepConfig:
    """The preset with a share of STEPS, what was so then and the given fields."""
    cpu = presets.cpu()
    cut = {name: replace(getattr(cpu, name), steps=round(scale * steps)) for name, steps in STEPS.items()}
    cut["stage2"] = replace(cut["stage2"], **STAGE2)
    return override(cpu, **(cut | {"betas": BETAS} | fields))


def started(folder: Path, config: SweepConfig) -> RunFolder:
    """A new run, whose data and MLflow store lie beside it.

    Raises:
        SweepError: there is one already.
    """
    data = folder.parent / "data" / config.data.digest()
    uri = f"sqlite:///{(folder.parent / 'mlflow.db').absolute()}"
    run = RunFolder(folder, config, "cpu", data.absolute(), new_sweep_id(), uri)
    run.create()
    return run


def finished(folder: Path, config: SweepConfig) -> RunFolder:
    """The run in the folder: as it is if it is finished, else gone on with or started."""
    run = RunFolder.load(folder) if (folder / "config.json").exists() else started(folder, config)
    if not (folder / "report.html").exists():
        launch.sweep(run)
    return run
