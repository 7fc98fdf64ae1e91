"""The import directions: sweep -> models, datagen; each outside system behind one door."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imports_of(place: str) -> set[str]:
    """Top-level packages that a folder's or file's code imports, wherever in it."""
    path = ROOT / place
    files = [path] if path.is_file() else path.rglob("*.py")
    names = set()
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_models_stand_alone() -> None:
    assert not imports_of("models") & {"ray", "mlflow", "optuna", "trdg", "sweep", "datagen"}


def test_data_generation_stands_alone() -> None:
    assert not imports_of("datagen") & {"mlflow", "optuna", "compressai", "sweep", "models"}


@pytest.mark.parametrize(
    ("package", "doors"),
    [
        (
            "ray",
            {
                "datagen/generate.py",
                "datagen/machines.py",
                "sweep/cluster.py",
                "sweep/relay.py",
                "sweep/search.py",
                "sweep/teaching.py",
                "sweep/trainer.py",
                "sweep/tuner.py",
            },
        ),
        ("optuna", {"sweep/search.py", "sweep/study.py"}),
        ("mlflow", {"sweep/tracking.py"}),
        ("trdg", {"datagen/backgrounds.py", "datagen/lettering.py"}),
        ("compressai", {"models/base.py", "models/coder.py", "models/entropy.py", "models/zoo.py"}),
        ("onnx", {"models/ppocr.py"}),
        ("rapidocr_onnxruntime", {"models/held_out.py"}),
        ("tesserocr", {"models/held_out.py"}),
    ],
)
def test_an_outside_system_has_its_doors(package: str, doors: set[str]) -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for room in ("datagen", "models", "sweep")
        for path in (ROOT / room).glob("*.py")
    ]
    assert {file for file in files if package in imports_of(file)} == doors


def test_what_a_trial_runs_needs_no_ray() -> None:
    assert not any(
        imports_of(f"sweep/{name}") & {"ray"} for name in ("trial.py", "stages.py", "training.py", "evaluate.py")
    )
