"""README.md and docs/ hold: commands parse, cheap ones run, examples run, links lead somewhere."""

import importlib
import importlib.util
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import finished
import pytest
import tyro
from commands import environment
from documents import PACKAGES, PAGES, ROOT, Command, Page, commands, read
from PIL import Image

from datagen import __main__ as datagen
from datagen.spec import DatasetSpec
from models import __main__ as models
from models.files.model import RateDial, TrainedCodec
from sweep import arguments, doctor, pick, report, simulate, store

LINES = 130
"""README.md has no more."""
CHEAP = (
    *("models compress", "models decompress", "models read", "models export-encoder", "datagen import", "sweep.store"),
    *("sweep.pick runs/cpu --max-bpp", "sweep.pick runs/cpu --min-accuracy", "sweep.pick runs/cpu --knee"),
    "benchmarks/front.py",
)
"""How the commands begin that take seconds and need nothing but files."""
OTHERS = {"--help", "--all-extras", "--cases"}
"""Options that the prose names beside those of the commands: everybody's, uv's, a benchmark's."""

EACH_PAGE = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
COMMANDS = [
    pytest.param(command, id=str(command), marks=[pytest.mark.slow] if command.module.startswith("benchmarks/") else [])
    for command in dict.fromkeys(command for path in PAGES for command in read(path).commands)
]
EXAMPLES = [(path, heading) for path in PAGES for heading in read(path).examples]


class Understood(Exception):
    """A command has parsed what it was given."""


def main_of(module: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int | None]:
    """What a command calls."""
    if module in PACKAGES:
        return importlib.import_module(f"{module}.__main__").main
    if not module.startswith("benchmarks/"):
        return importlib.import_module(module).main
    # Benchmarks import what lies beside them.
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location(Path(module).stem, ROOT / module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, loaded)
    spec.loader.exec_module(loaded)
    return loaded.main


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= LINES


@EACH_PAGE
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    page = read(path)
    assert page.links
    for target in page.links:
        place, _, anchor = target.partition("#")
        if place.startswith("https://"):
            continue
        file = path.parent / place if place else path
        assert file.is_file(), target
        assert file.resolve().is_relative_to(ROOT), target
        assert not anchor or anchor in read(file).anchors, target


@EACH_PAGE
def test_a_line_is_a_command_of_ours_or_its_block_says_why_nobody_runs_it(path: Path) -> None:
    for block in read(path).blocks:
        assert block.language in ("sh", "python", ""), block
        if block.language == "sh" and block.unchecked is None:
            assert all(all(commands(line)) for line in block.lines), block


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def understand(*given, parse=tyro.cli, **options) -> None:
        parse(*given, **options)
        raise Understood

    if command.module.startswith("benchmarks/") and "tyro" not in (ROOT / command.module).read_text():
        assert command.arguments == ()
        return
    monkeypatch.setattr(tyro, "cli", understand)
    monkeypatch.setattr("sys.argv", [command.module, *command.arguments])
    with pytest.raises(Understood):
        main_of(command.module, monkeypatch)()


@pytest.fixture
def place(
    tmp_path: Path,
    data_folder: Path,
    spec: DatasetSpec,
    trained: TrainedCodec,
    dial: RateDial,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A working directory that holds what the pages' commands name."""
    trained.save(tmp_path / "model.pt")
    dial.save(tmp_path / "dial.pt")
    pictures(tmp_path, "photo")
    words = [*map("".join, itertools.product("abcd", "efgh", "ijkl"))]
    for folder, names in {"photos": words, "renderings": words, "unread": words, "scans": ("one", "two")}.items():
        (tmp_path / folder).mkdir()
        pictures(tmp_path / folder, *names)
    pairs = [f"{word}.png,{word}\n" for word in words]
    (tmp_path / "photos" / "labels.csv").write_text("".join(["image,text\n", *pairs]))
    (tmp_path / "runs" / "store").mkdir(parents=True)
    finished.run(tmp_path / "runs" / "cpu", data_folder, spec, trained)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pictures(folder: Path, *names: str) -> None:
    """Plain ones, each of a shade of its own."""
    for number, name in enumerate(names):
        Image.new("RGB", (256, 64), (200, 200, number)).save(folder / f"{name}.png")


def cheap(page: Page) -> Iterator[Command]:
    """A page's cheap commands, but for those of files that are the reader's to name: FILE, OUT, ..., and for what needs
    a sweep in MLflow, which test_registering.py has."""
    for command in page.commands:
        open_ends = any(re.match("[A-Z]{2,}", argument) for argument in command.arguments)
        if str(command).startswith(CHEAP) and not open_ends and "--register" not in command.arguments:
            yield command


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in PAGES if any(cheap(read(path)))], ids=lambda path: path.name)
def test_cheap_commands_run_one_after_the_other(
    path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in cheap(read(path)):
        monkeypatch.setattr("sys.argv", [command.module, *command.arguments])
        assert main_of(command.module, monkeypatch)() in (0, None), (command, capsys.readouterr())


@pytest.mark.slow
@pytest.mark.parametrize(("path", "heading"), EXAMPLES, ids=lambda each: each if isinstance(each, str) else each.stem)
def test_an_example_runs(
    path: Path, heading: str, tmp_path: Path, data_folder: Path, spec: DatasetSpec, trained: TrainedCodec
) -> None:
    finished.run(tmp_path / "runs" / "cpu", data_folder, spec, trained)
    script = ""
    for block in read(path).examples[heading]:
        if block.title is not None:
            (tmp_path / block.title).write_text(block.text)
        else:
            script += block.text
    (tmp_path / "script.py").write_text(script)
    paths = os.pathsep.join([str(ROOT), *sys.path])
    # It prints warnings of torch's too; what it raises stands in the error.
    subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment() | {"PYTHONPATH": paths}, check=True, timeout=300
    )


def options(*given: Any) -> Iterator[str]:
    """What command lines take that are made of these dataclasses."""
    for name, kind in ((name, kind) for each in given for name, kind in get_type_hints(each).items()):
        yield f"--{name.replace('_', '-')}"
        if is_dataclass(kind):
            yield from (f"--{name}.{option[2:]}" for option in options(kind))


@EACH_PAGE
def test_options_that_a_page_names_are_there(path: Path) -> None:
    commands = (arguments, simulate, report, pick, store, doctor, datagen)
    known = {*options(*(command.Arguments for command in commands), datagen.ImportArguments, DatasetSpec)}
    known |= {*options(models.Compress, models.Decompress, models.Read, models.ExportEncoder)}
    named = {option for span in read(path).spans for option in re.findall(r"(?<!\S)--[a-z][a-z.-]*", span)}
    assert named <= known | OTHERS


@EACH_PAGE
def test_files_that_a_page_names_are_there(path: Path) -> None:
    for span in read(path).spans:
        if re.fullmatch(rf"({'|'.join((*PACKAGES, 'tests', 'benchmarks'))})/[\w/]*(\.\w+)?", span):
            assert (ROOT / span).exists(), span


def test_contributing_names_every_room() -> None:
    spans = read(ROOT / "docs" / "contributing.md").spans
    rooms = [file.parent for package in PACKAGES for file in (ROOT / package).glob("*/**/__init__.py")]
    assert {f"{room.relative_to(ROOT).as_posix()}/" for room in rooms} <= set(spans)
