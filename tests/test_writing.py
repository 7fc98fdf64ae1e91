"""What has a name is whole on the disk, also after a loss of power."""

import ast
import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from datagen import files, remote
from models.files import disk

ROOT = Path(__file__).parents[1]
NAMED = "named"
WRITERS = {"write_text", "write_bytes", "write_parquet"}
Atomic = Callable[[Path], AbstractContextManager[Path]]


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[int | str]:
    """Inodes as they are synced, and NAMED where something takes its final name."""
    fsync, replace, seen = os.fsync, os.replace, []

    def synced(handle: int) -> None:
        fsync(handle)
        seen.append(os.fstat(handle).st_ino)

    def named(source: Path, target: Path) -> None:
        replace(source, target)
        seen.append(NAMED)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", named)
    return seen


@pytest.mark.parametrize("atomic", [disk.atomic, files.atomic])
def test_a_file_is_on_the_disk_before_its_name_and_then_the_name(
    atomic: Atomic, tmp_path: Path, order: list[int | str]
) -> None:
    with atomic(tmp_path / "file") as partial:
        partial.write_bytes(b"content")
    assert order == [(tmp_path / "file").stat().st_ino, NAMED, tmp_path.stat().st_ino]


def test_a_fetched_data_set_is_on_the_disk_before_its_name(
    data_folder: Path, tmp_path: Path, order: list[int | str]
) -> None:
    folder = remote.fetch(data_folder.as_uri(), tmp_path)
    at = order.index(NAMED)
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} <= set(order[:at])
    assert order[at + 1 :] == [tmp_path.stat().st_ino]


@pytest.mark.parametrize("atomic", [disk.atomic, files.atomic])
@pytest.mark.parametrize(("number", "content"), [(errno.EIO, b"earlier"), (errno.EINVAL, b"later")])
def test_a_file_that_the_disk_refuses_replaces_nothing_unless_the_disk_cannot_sync_at_all(
    atomic: Atomic, number: int, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_bytes(b"earlier")
    monkeypatch.setattr(os, "fsync", refuse)
    raised = pytest.raises(OSError, match=os.strerror(number)) if content == b"earlier" else nullcontext()
    with raised, atomic(path) as partial:
        partial.write_bytes(b"later")
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == {path: content}


def test_no_room_writes_under_a_final_name() -> None:
    calls = [
        (file.name, ast.unparse(node))
        for room in ("datagen", "models", "sweep")
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in WRITERS or ast.unparse(node.func) == "torch.save")
    ]
    assert {name for name, _ in calls} >= {"checkpointer.py", "points.py", "shards.py", "model.py"}
    on_disk = [call for call in calls if call[1] != "torch.save(content, memory)"]
    assert [call for call in on_disk if "partial" not in call[1]] == []
