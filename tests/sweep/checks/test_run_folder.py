"""The run's folder is tried, and left as it was."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweep.checks import run_folder

WRITING = """
import sys
from pathlib import Path
from sweep.checks import run_folder
print(run_folder.tried(Path(sys.argv[1])))
"""


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "mine"
    with run_folder.opened(out) as folder:
        assert run_folder.write(folder) == ("ok", "store", f"{out} is written, read and renamed in", "")
        assert folder.parent == out
    assert not list(tmp_path.iterdir())
    out.mkdir(parents=True)
    with run_folder.opened(out):
        pass
    assert not list(out.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = run_folder.tried(tmp_path / "file" / "runs")
    assert (found.status, str(tmp_path) in found.found, "--out" in found.fix) == ("FAIL", True, True)


def test_a_file_system_that_is_read_only_is_told(tmp_path: Path) -> None:
    mounted = f"mount -t tmpfs -o ro none {tmp_path} && exec {sys.executable} -c '{WRITING}' {tmp_path}"
    own = ["unshare", "--mount", "--map-root-user", "sh", "-c", mounted]
    if sys.platform != "linux" or subprocess.run([*own[:4], "-c", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    said = subprocess.run(own, capture_output=True, text=True, check=True).stdout
    assert said.startswith("FAIL  store ")
    assert "Read-only file system" in said
