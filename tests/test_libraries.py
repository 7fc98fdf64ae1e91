"""A server without a desktop has few libraries beside Python's own; the project needs no others."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import call

from models import sources

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="ldd is Linux's")]
ROOT = Path(__file__).parents[1]
ROOMS = ("datagen", "models", "sweep")
MINIMAL = {
    *("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "linux-vdso.so.1", "libc.so.6", "libdl.so.2", "libgcc_s.so.1"),
    *("libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1", "libz.so.1"),
}
"""Of the libraries that Debian's minbase holds, those that builds for any Linux may link to."""


@cache
def installed() -> list[Path]:
    """All files of the environment."""
    return list(Path(sys.prefix).rglob("*"))


def links(files: Iterable[Path]) -> set[str]:
    """Names of the libraries that modules and programs link to, directly or not."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    said = subprocess.run(["ldd", *files], env=environment, capture_output=True, text=True).stdout
    return {Path(name).name for name in re.findall(r"^\t(\S+)(?: => | \()", said, re.MULTILINE)}


def linked(path: Path) -> bool:
    """Whether it is a module or program of machine code; a library counts where one of them links to it."""
    if path.suffix not in (".so", "") or path.name.startswith("lib") or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def test_installed_packages_link_to_libraries_of_a_minimal_server_alone() -> None:
    found = links(filter(linked, installed()))
    assert found >= {"libtorch_cpu.so", "libc.so.6"}
    assert found - {path.name for path in installed()} <= MINIMAL


def test_all_that_the_project_imports_loads_where_other_libraries_are_hidden(tmp_path: Path) -> None:
    """An empty file that is found first hides a library. What is opened while it runs, no list of links shows."""
    # Python's own modules may link to more, by whom it was built.
    own = links([Path(sys.executable).resolve(), *Path(sysconfig.get_path("stdlib")).glob("lib-dynload/*.so")])
    listed = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    there = set(re.findall(r"^\t(\S+) ", listed, re.MULTILINE))
    assert "libc.so.6" in there
    for name in there - MINIMAL - own - {path.name for path in installed()}:
        (tmp_path / name).touch()
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py") if file.name != "__init__.py"]
    rooms = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    others = [name for name in {name[0] for file in files for name in sources.imports(file, ROOT)} if find_spec(name)]
    command = call("import_modules.py", *rooms, *others)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
