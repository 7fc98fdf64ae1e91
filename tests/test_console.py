"""Commands end in a line and a code, whoever ends them, and print the names of any file."""

import os
import subprocess
import sys

import pytest
from commands import call

ROOMS = pytest.mark.parametrize("room", ["models", "datagen"])


def command(room: str, does: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(call("ended_command.py", room, does), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@ROOMS
def test_a_name_that_is_no_utf_8_is_printed_as_it_is(room: str) -> None:
    process = command(room, "bytes")
    assert process.communicate() == (b"caf\xe9\n", b"")
    assert process.returncode == 0


@ROOMS
def test_characters_that_the_output_cannot_hold_are_written_out(room: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    printing = call("ended_command.py", room, "euro")
    assert subprocess.run(printing, env=environment, capture_output=True, check=True).stdout == b"\\u20ac\n"


@ROOMS
def test_ctrl_c_is_a_line(room: str) -> None:
    process = command(room, "interrupt")
    said, complained = process.communicate()
    assert (said, complained.count(b"\n"), process.returncode) == (b"", 1, 1)
    assert complained.startswith(b"interrupted")


@ROOMS
@pytest.mark.parametrize("does", ["lines", "line", "exit"])
def test_nothing_is_said_where_nobody_reads(room: str, does: str) -> None:
    process = command(room, does)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 1


def test_the_imports_of_a_command_say_nothing() -> None:
    importing = [sys.executable, "-c", "import sweep.launch, sweep.pick, sweep.report, sweep.doctor, models.__main__"]
    assert subprocess.run(importing, capture_output=True, text=True, check=True).stderr == ""
