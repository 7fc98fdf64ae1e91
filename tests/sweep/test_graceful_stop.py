"""A sweep whose terminal is gone saves what it does, and one under nohup goes on."""

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import call, environment


@pytest.mark.parametrize("ray", [(), pytest.param(("ray",), marks=pytest.mark.slow)])
def test_a_sweep_whose_terminal_is_gone_saves_first(tmp_path: Path, ray: tuple[str, ...]) -> None:
    ours, theirs = pty.openpty()
    waiting = call("wait_for_signals.py", str(tmp_path), *ray)
    # The terminal is its own, and with it that of the processes that Ray starts.
    process = subprocess.Popen(["setsid", "--ctty", "--wait", *waiting], stdin=theirs, stdout=theirs, env=environment())
    os.close(theirs)
    said = b""
    while b"started" not in said:
        said += os.read(ours, 1000)
    os.close(ours)
    assert process.wait(60) == 0
    assert (tmp_path / "saved").exists()
    assert (tmp_path / "interrupted").exists()


@pytest.mark.parametrize(("prefix", "saves"), [("env", True), ("nohup", False)])
def test_hanging_up_twice_saves_once_and_is_nothing_to_nohup(tmp_path: Path, prefix: str, saves: bool) -> None:
    waiting = call("wait_for_signals.py", str(tmp_path))
    process = subprocess.Popen([prefix, *waiting], stdout=subprocess.PIPE, env=environment(), text=True)
    assert process.stdout is not None
    assert any("started" in line for line in process.stdout)
    for _ in range(2):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
    assert (tmp_path / "tune" / "stop").exists() == saves
    if not saves:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert (tmp_path / "saved").exists()
    assert (tmp_path / "interrupted").exists()
