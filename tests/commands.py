"""The project's commands as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"


def call(name: str, *arguments: str) -> list[str]:
    """The command line of a command of the project, such as `sweep.run`, or of one of SCRIPTS, such as `fetch.py`."""
    program = [str(SCRIPTS / name)] if name.endswith(".py") else ["-m", name]
    return [sys.executable, *program, *arguments]


def environment() -> dict[str, str]:
    """This process's, less what would lead a command to another Ray or MLflow."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "RAY"))}


@contextmanager
def command(folder: Path, name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in its own session, which ends with the block, Ray's processes included."""
    process = subprocess.Popen(
        call(name, *arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def completed(folder: Path, name: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    with command(folder, name, *arguments) as process:
        said, complained = process.communicate(timeout=600)
        return process.returncode, said, complained
