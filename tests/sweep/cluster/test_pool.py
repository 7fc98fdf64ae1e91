"""A pool on a real Ray, in a process of its own."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from commands import call

from sweep.cluster.pool import reporting
from sweep.presets import cpu


def test_the_driver_hears_at_most_ten_reports_a_second() -> None:
    assert reporting(cpu(), 4) == cpu()
    assert reporting(cpu(), 256).resources.report_seconds == 25.6


@pytest.mark.slow
def test_a_trial_that_falls_behind_stops_and_the_next_one_starts(data_folder: Path, tmp_path: Path) -> None:
    """Every second look lets a trial pass; all trials run in one worker, one after the other."""
    arguments = call("search_that_stops_trials.py", str(data_folder), str(tmp_path / "run"))
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    stopped = "stopped behind the front after 10 steps of stage 2 True True"
    assert [line for line in lines if line.startswith(("stopped", "complete"))] == [stopped, "complete  True True"] * 2
    assert "rungs [2, 2, 2, 2]" in lines
    assert not any(".partial" in line for line in lines)


@pytest.mark.slow
def test_a_trial_that_takes_too_much_memory_is_tried_three_times(data_folder: Path, tmp_path: Path) -> None:
    """Ray's memory monitor is told that a hundredth of the memory is all there is."""
    arguments = call("pool_without_memory.py", str(data_folder), str(tmp_path / "run"))
    little = os.environ | {"RAY_memory_usage_threshold": "0.01", "RAY_memory_monitor_refresh_ms": "250"}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=500, check=False, env=little)
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stdout.splitlines() if line.startswith(("failed", "given up", "asked"))]
    reason = r"a worker that took \d\.\d+ GiB was ended again and again, .* batch_size"
    expected = [f"given up: {reason}", *3 * [f"failed {reason}"], f"given up: 3 points in a row failed.*{reason}"]
    assert [bool(re.match(pattern, line)) for pattern, line in zip(expected, said, strict=False)] == 5 * [True], said
    assert said[5:] == ["asked to end True"]
