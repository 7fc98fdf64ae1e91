"""Commands end in a line and a code, whoever ends them, and print the names of any file."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os

from {room}.console import ended


def main():
    {does}
    return 0


raise SystemExit(ended(main))
"""
ROOMS = pytest.mark.parametrize("room", ["models", "datagen"])


def command(room: str, does: str) -> subprocess.Popen[bytes]:
    script = SCRIPT.format(room=room, does=does)
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@ROOMS
def test_a_name_that_is_no_utf_8_is_printed_as_it_is(room: str) -> None:
    process = command(room, "print(os.fsdecode(b'caf\\xe9'))")
    assert process.communicate() == (b"caf\xe9\n", b"")
    assert process.returncode == 0


@ROOMS
def test_what_the_output_cannot_hold_is_written_out(room: str) -> None:
    script = SCRIPT.format(room=room, does="print('\u20ac')")
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    said = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
    assert said == b"\\u20ac\n"


@ROOMS
def test_ctrl_c_is_a_line(room: str) -> None:
    process = command(room, "os.kill(os.getpid(), 2)")
    said, complained = process.communicate()
    assert (said, complained.count(b"\n"), process.returncode) == (b"", 1, 1)
    assert complained.startswith(b"interrupted")


@ROOMS
@pytest.mark.parametrize(
    "does", ["for _ in range(100_000): print('line')", "print('line')", "raise SystemExit(print())"]
)
def test_nothing_is_said_where_nobody_reads(room: str, does: str) -> None:
    process = command(room, does)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 1
