"""The law of the house: who may import whom, and which room is each outside system's door."""

from functools import cache
from pathlib import Path

import pytest

from models import sources

ROOT = Path(__file__).parents[1]
GROUND = (
    "sweep/names.py",
    "sweep/config.py",
    "sweep/errors.py",
    "sweep/versions.py",
    "sweep/graceful_stop.py",
    "sweep/console.py",
)
FLOORS = (
    ("datagen", "models"),
    GROUND,
    ("sweep/training",),
    ("sweep/stages",),
    ("sweep/results",),
    ("sweep/reporting",),
    ("sweep/search", "sweep/tracking", "sweep/baselines"),
    ("sweep/trials", "sweep/checks"),
    ("sweep/cluster", "sweep/simulation"),
    ("sweep",),
)
"""Rooms from the ground up: each may import those on the floors below it."""
GROUND_OF_MODELS = tuple(f"models/{name}.py" for name in ("errors", "weights", "fingerprint", "sources", "cuda_graphs"))
MODELS = {
    "models/baselines": ("models/baselines", *GROUND_OF_MODELS),
    "models/codecs": ("models/codecs", *GROUND_OF_MODELS),
    "models/recognizers/four_stage": ("models/recognizers/four_stage", *GROUND_OF_MODELS),
    "models/recognizers": ("models/recognizers", *GROUND_OF_MODELS),
    "models/files": ("models/files", "models/codecs", *GROUND_OF_MODELS),
    "models/device": ("models/device", "models/files", "models/codecs", *GROUND_OF_MODELS),
    "models/shipped": ("models/shipped",),
}
"""What each room of `models` may import of it."""
MLFLOW = ("mlflow_store", "mlflow_runs", "mlflow_content", "logged_models", "registering", "serving")
DOORS: dict[str, tuple[str, ...]] = {
    "ray": ("datagen/generate.py", "datagen/machines.py", "sweep/cluster"),
    "optuna": ("sweep/search",),
    "mlflow": tuple(f"sweep/tracking/{name}.py" for name in MLFLOW),
    "plotly": ("sweep/reporting/page.py",),
    "trdg": ("datagen/backgrounds.py", "datagen/lettering.py"),
    "compressai": ("models/codecs",),
    "constriction": ("models/codecs/coding_tables.py", "models/codecs/entropy_coder.py", "models/device/encode.py"),
    "onnx": ("models/recognizers/ppocr.py",),
    "onnxruntime": ("models/device/encode.py",),
    "rapidocr_onnxruntime": ("models/recognizers/held_out.py",),
    "tesserocr": ("models/recognizers/held_out.py",),
}
"""Files and folders that import an outside system."""
WITHOUT: dict[str, tuple[str, ...]] = {
    "models": ("ray", "mlflow", "optuna", "trdg", "sweep", "datagen"),
    "datagen": ("mlflow", "optuna", "compressai", "sweep", "models"),
    "sweep/training": ("ray", "mlflow", "optuna", "trdg"),
    "sweep/stages": ("ray", "mlflow", "optuna", "trdg"),
    "sweep/results": ("ray", "mlflow", "optuna", "trdg"),
    "sweep/reporting": ("ray", "mlflow", "optuna", "trdg"),
    "sweep/search": ("ray", "mlflow", "trdg"),
    "sweep/baselines": ("ray", "mlflow", "optuna", "trdg", "compressai"),
    "sweep/tracking": ("ray", "optuna", "trdg"),
    "sweep/trials": ("ray", "mlflow", "trdg"),
    "sweep/checks": ("ray", "optuna", "trdg"),
    "sweep/simulation": ("ray", "mlflow", "trdg"),
}
"""What none of a room's files reaches, by whatever it imports."""


def files(room: str) -> list[str]:
    return sorted(map(place, (ROOT / room).rglob("*.py")))


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def names(file: str) -> frozenset[tuple[str, ...]]:
    """Of the modules that a file imports, wherever in it, by their parts."""
    return frozenset(sources.imports(ROOT / file, ROOT))


@cache
def imported(file: str) -> frozenset[str]:
    """Files of the project that a file imports itself."""
    ends = {name[:end] for name in names(file) for end in range(1, len(name) + 1)}
    found = (ROOT.joinpath(*name).with_suffix(".py") for name in ends)
    return frozenset(place(path) for path in found if path.is_file())


def outside(file: str) -> set[str]:
    """Top-level packages that a file imports."""
    return {name[0] for name in names(file)}


def reached(file: str) -> set[str]:
    """The file, and what it imports, and what that imports."""
    found, ahead = set[str](), {file}
    while ahead:
        found.add(each := ahead.pop())
        ahead |= imported(each) - found
    return found


def lies_in(file: str, rooms: tuple[str, ...]) -> bool:
    return any(file == room or file.startswith(f"{room}/") for room in rooms)


def floor(file: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if lies_in(file, rooms))


def test_imports_run_downward() -> None:
    for file in files("sweep"):
        for other in imported(file):
            beside = Path(file).parent == Path(other).parent
            assert floor(other) < floor(file) or (beside and floor(other) == floor(file)), f"{file} imports {other}"


@pytest.mark.parametrize("room", MODELS)
def test_a_room_of_models_keeps_to_its_own(room: str) -> None:
    inner = tuple(other for other in MODELS if other.startswith(f"{room}/"))
    for file in files(room):
        found = {other for other in imported(file) if other.startswith("models/")}
        assert lies_in(file, inner) or all(lies_in(other, MODELS[room]) for other in found), (file, found)


@pytest.mark.parametrize("package", DOORS)
def test_an_outside_system_has_its_door(package: str) -> None:
    found = [file for room in ("datagen", "models", "sweep") for file in files(room) if package in outside(file)]
    assert found, f"nobody imports {package}"
    assert all(lies_in(file, DOORS[package]) for file in found), found


@pytest.mark.parametrize("room", WITHOUT)
def test_a_room_reaches_no_system_that_is_not_its_own(room: str) -> None:
    for file in files(room):
        for other in reached(file):
            barred = outside(other) & {*WITHOUT[room]}
            assert not barred, f"{file} reaches {barred} by {other}"


@pytest.mark.parametrize("room", ["datagen", "models", "sweep"])
def test_every_room_says_what_it_is_for(room: str) -> None:
    for folder in {Path(file).parent for file in files(room)}:
        assert (ROOT / folder / "__init__.py").read_text().startswith('"""'), folder
