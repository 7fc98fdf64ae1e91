"""Whether the default data set prepares a codec for other software's text: against a narrow one, at equal training.

python benchmarks/breadth.py OUT [--scale 0.2]
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scaled
import tyro
from foreign import browser, lines, office

from datagen.dataset import TextImages
from datagen.lines import Look, Texts
from datagen.spec import DatasetSpec
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from sweep import presets
from sweep.config import override
from sweep.results import export, points
from sweep.results.folder import RunFolder
from sweep.results.pareto import Objectives, front
from sweep.trials.evaluate import evaluate, evaluate_uncompressed

NARROW = {
    "texts": Texts(random=0.0, upper=0.0, capitalized=0.0),
    "backgrounds": ("noise", "plain", "photo"),
    "look": Look(
        size=(0.6, 1.0), contrast=(60, 255), light=0.0, color=0, spacing=(0, 0), space=(1, 1), outline=0, distortion=0,
        skew=3, perspective=0, curvature=0, light_falloff=0, shadow=0, blur=1, noise=0, jpeg=0,
    ),
}  # fmt: skip
"""Dark words, large, on white paper, noise and four photos."""
RATES = (0.06, 0.08, 0.1, 0.12)
"""Bits per pixel at which the two are compared."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains on both, then reads what their codecs make of the foreign lines."""

    out: tyro.conf.Positional[Path]
    """Folder for the runs; finished ones are not run again."""
    scale: float = 1.0
    """Training steps, as a share of the preset's."""
    budget: int = 64
    """Points a run."""
    lines: int = 120
    """From the browser, and as many from LibreOffice."""


def main() -> None:
    """Prints accuracy at each rate, and what each data set's codecs lose of the uncompressed accuracy."""
    arguments = tyro.cli(Arguments)
    recognizer = recognizers.english_g2()
    wanted = lines(2 * arguments.lines, seed=1)
    foreign = {"browser": browser(wanted[: arguments.lines]), "office": office(wanted[arguments.lines :])}
    runs = {name: _run(name, fields, arguments) for name, fields in (("narrow", NARROW), ("default", {}))}
    for name, images in foreign.items():
        whole = evaluate_uncompressed(recognizer, images).accuracy
        curves = {case: _curve(run, images) for case, run in runs.items()}
        print(f"{name}: uncompressed {whole:.3f}")
        for rate in RATES:
            read = {case: _at(curve, rate) for case, curve in curves.items()}
            lost = (whole - read["default"]) / (whole - read["narrow"])
            print(
                f"  {rate:.2f} bpp: narrow {read['narrow']:.3f}, default {read['default']:.3f}, {lost:.2f} of its loss"
            )


def _run(name: str, fields: dict, arguments: Arguments) -> RunFolder:
    cpu = presets.cpu()
    assert isinstance(cpu.data, DatasetSpec), "presets are drawn"
    stage1, stage2 = (replace(stage, steps=round(arguments.scale * stage.steps)) for stage in (cpu.stage1, cpu.stage2))
    config = override(cpu, data=replace(cpu.data, **fields), stage1=stage1, stage2=stage2, budget=arguments.budget)
    return scaled.finished(arguments.out / name, config)


def _curve(run: RunFolder, images: TextImages) -> list[Objectives]:
    """Of the run's front, on other images."""
    recognizer, found = ensemble.load(run.config.recognizers), []
    for point in points.listed(points.read(run.path).filter("on_front")):
        measured = evaluate(export.trained(run, point), recognizer, images)
        found.append(Objectives(measured.bpp, measured.accuracy))
    return front(found)


def _at(curve: list[Objectives], rate: float) -> float:
    """Accuracy at a rate: below the curve's first point nothing is known, beyond its last one that is the best."""
    rates, accuracies = zip(*curve, strict=True)
    return float(np.interp(np.log(rate), np.log(rates), accuracies, left=np.nan))


if __name__ == "__main__":
    main()
