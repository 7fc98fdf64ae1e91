"""A run's folder that somebody sent does not choose what is imported."""

import shutil
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import reader
from rows import point
from runs import opened

from models.errors import ModelError
from sweep import pick, report, run, store
from sweep.errors import SweepError
from sweep.results.folder import RunFolder
from sweep.results.points import PointTable

Command = Callable[..., int]


@pytest.fixture
def module() -> str:
    return f"sent_{uuid.uuid4().hex}"


@pytest.fixture
def sent(tmp_path: Path, data_folder: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run against its sender's module, which lies beside it and is not imported here any more."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    shutil.copy(reader.__file__, folder / f"{module}.py")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder)
        started = opened(
            preset="smoke", out=folder / "run", data=str(data_folder), recognizer=("english_g2=0.5", f"{module}:load")
        )
        first = opened(preset="smoke", out=folder / "first", data=str(data_folder), recognizer=(f"{module}:load",))
    monkeypatch.delitem(sys.modules, module)
    for each in (started, first):
        PointTable(each.path).add(point(point_id="uncompressed", kind="uncompressed", status="complete"))
    monkeypatch.setattr("sys.path", [*sys.path])
    return first


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Command:
    def call(command: Callable[[], int], *arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        return command()

    return call


def test_no_command_imports_what_a_folder_names(sent: RunFolder, module: str, called: Command) -> None:
    path, before = str(sent.path), [*sys.path]
    assert called(report.main, path) == 0
    for command, arguments in (
        (run.main, ("--out", path, "--resume")),
        (run.main, ("--out", path, "--resume", "--recognizer-weights", str(sent.path / "config.json"))),
        (pick.main, (path, "--max-bpp", "1", "--out", str(sent.path / "model.pt"))),
        (store.main, (path,)),
    ):
        called(command, *arguments)
    assert module not in sys.modules
    assert sys.path == before


def test_resuming_asks_for_all_that_teaches(sent: RunFolder, module: str) -> None:
    both = sent.path.parent / "run"
    with pytest.raises(SweepError, match=f"give --recognizer english_g2=0.5 --recognizer {module}:load=1 to import"):
        opened(out=both, resume=True)
    assert module not in sys.modules


def test_a_named_module_is_the_users_own_and_not_the_folders(
    sent: RunFolder, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found where Python finds it, not where the folder says that it was."""
    theirs, name = str(sent.path.parent), f"{module}:load"
    with pytest.raises(ModelError, match=f"{name} cannot be imported"):
        opened(out=sent.path, resume=True, recognizer=(name,))
    assert theirs not in sys.path
    (tmp_path / "mine").mkdir()
    shutil.copy(reader.__file__, tmp_path / "mine" / f"{module}.py")
    monkeypatch.syspath_prepend(tmp_path / "mine")
    resumed = opened(out=sent.path, resume=True, recognizer=(name,))
    assert resumed.config.recognizers[0].source.folder == str(tmp_path / "mine")  # pyright: ignore
    assert theirs not in sys.path
