"""Many files at once: results go to standard output, whatever the bar stands on."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

MANY = """
from pathlib import Path

from models import jobs

jobs.run([jobs.Job(Path(name), Path()) for name in "ab"], lambda job: f"result {job.source}")
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """What shows on it is read from its first end."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def many(output: int, errors: int) -> str | None:
    environment = os.environ | {"TERM": "xterm"}
    command = [sys.executable, "-c", MANY]
    return subprocess.run(command, stdout=output, stderr=errors, env=environment, text=True, check=True).stdout


def test_results_leave_the_terminal_of_the_bar_alone(terminal: tuple[int, int]) -> None:
    assert many(subprocess.PIPE, terminal[1]) == "result a\nresult b\n"
    shown = os.read(terminal[0], 1 << 16)
    assert b"2/2" in shown
    assert b"result" not in shown


def test_on_one_terminal_results_stand_above_the_bar(terminal: tuple[int, int]) -> None:
    many(terminal[1], terminal[1])
    shown = os.read(terminal[0], 1 << 16)
    assert b"result a\r\n" in shown
    assert b"result b\r\n" in shown
