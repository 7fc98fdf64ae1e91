"""The run's folder, as one machine and as several see it."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweep.checks import shared_folder

WRITING = """
import sys
from pathlib import Path
from sweep.checks import shared_folder
try:
    with shared_folder.opened(Path(sys.argv[1])) as folder:
        print(shared_folder.write(folder, "here"))
except OSError as error:
    print(shared_folder.unwritable(Path(sys.argv[1]), error))
"""


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "mine"
    with shared_folder.opened(out) as folder:
        assert shared_folder.write(folder, "here") == ("ok", "store", f"{out} is written, read and renamed in", "")
        assert folder.parent == out
    assert not list(tmp_path.iterdir())
    out.mkdir(parents=True)
    with shared_folder.opened(out):
        pass
    assert not list(out.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught, shared_folder.opened(tmp_path / "file" / "runs"):  # noqa: PT011
        pass
    found = shared_folder.unwritable(tmp_path, caught.value)
    assert (found.status, str(tmp_path) in found.found, "--out" in found.fix) == ("FAIL", True, True)


def test_a_file_system_that_is_read_only_is_told(tmp_path: Path) -> None:
    mounted = f"mount -t tmpfs -o ro none {tmp_path} && exec {sys.executable} -c '{WRITING}' {tmp_path}"
    own = ["unshare", "--mount", "--map-root-user", "sh", "-c", mounted]
    if sys.platform != "linux" or subprocess.run([*own[:4], "-c", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    said = subprocess.run(own, capture_output=True, text=True, check=True).stdout
    assert said.startswith("FAIL  store ")
    assert "Read-only file system" in said


def test_a_node_that_sees_another_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_folder, "SHOW_SECONDS", 0.0)
    with shared_folder.opened(tmp_path / "here") as folder, shared_folder.written_by_driver(folder):
        assert shared_folder.shared(folder, "a").status == "ok"
        other = tmp_path / "there" / folder.name
        other.mkdir(parents=True)
        found = shared_folder.shared(other, "b")
        assert (found.status, found.fix) == ("FAIL", shared_folder.MOUNT)
        assert shared_folder.missing(folder, {"a", "b"}) == {"b"}


def test_locks_that_do_not_hold_are_told(tmp_path: Path) -> None:
    (tmp_path / shared_folder.DRIVER).touch()
    found = shared_folder.shared(tmp_path, "a")
    assert (found.status, "locks do not hold" in found.found) == ("warn", True)
