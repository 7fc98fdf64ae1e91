"""A pool on a real Ray, in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path

from datagen import generate
from datagen.shards import Manifest
from sweep import presets
from sweep.search import early_stopping
from sweep.config import StageConfig
from sweep.cluster.pool import Pool

data_folder, folder = map(Path, sys.argv[1:])
(folder / "checkpoints").mkdir(parents=True)
stage = StageConfig(steps=30, batch_size=2)
config = replace(
    presets.smoke(), data=Manifest.load(data_folder).spec, strategy="shared", stage1=replace(stage, steps=1),
    stage2=stage, save_seconds=0.0,
)

class Listener:
    def progressed(self, identity, progress): ...
    def reread(self, row, accuracies): ...
    def finished(self, row):
        print(row["status"], row.get("reason", ""), row["val_bpp"] > 0, row["train_seconds"] > 0, flush=True)

judged = []
scheduler.FrontStopping.passes = lambda self, rung, trial, reached: judged.append(rung) or len(judged) % 2 == 0
with generate.ray_session(1):
    Pool(config, folder, data_folder, Listener()).search(4)
print("rungs", judged)
print("left", sorted(path.suffixes[0] for path in (folder / "checkpoints").iterdir()))
"""


@pytest.mark.slow
def test_a_trial_that_falls_behind_stops_and_the_next_one_starts(data_folder: Path, tmp_path: Path) -> None:
    """Every second look lets a trial pass; all trials run in one worker, one after the other."""
    arguments = [sys.executable, "-c", SCRIPT, str(data_folder), str(tmp_path / "run")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    stopped = "stopped behind the front after 10 steps of stage 2 True True"
    assert [line for line in lines if line.startswith(("stopped", "complete"))] == [stopped, "complete  True True"] * 2
    assert "rungs [2, 2, 2, 2]" in lines
    assert not any(".partial" in line for line in lines)


WITHOUT_MEMORY = """
import sys
from dataclasses import replace
from pathlib import Path

import ray

from datagen import generate
from datagen.shards import Manifest
from sweep import presets
from sweep.cluster import resources
from sweep.errors import SweepError
from sweep.cluster.pool import Pool

data_folder, folder = map(Path, sys.argv[1:])
(folder / "checkpoints").mkdir(parents=True)
stage2 = replace(presets.smoke().stage2, legibility=0.0)
config = replace(presets.smoke(), data=Manifest.load(data_folder).spec, strategy="shared", stage2=stage2)

class Listener:
    def progressed(self, identity, progress): ...
    def finished(self, row):
        print(row["status"], row["reason"], flush=True)

def hungry():
    taken = bytearray(b"x" * 200_000_000)
    import time
    time.sleep(60)

with generate.ray_session(1):
    for work in (
        lambda: cluster.results(ray.remote(hungry).remote()),
        lambda: Pool(config, folder, data_folder, Listener()).search(8),
    ):
        try:
            work()
        except SweepError as error:
            print("given up:", error, flush=True)
print("asked to end", (folder / "tune" / "stop").exists())
"""


@pytest.mark.slow
def test_what_takes_too_much_memory_is_tried_three_times(data_folder: Path, tmp_path: Path) -> None:
    """Ray's memory monitor is told that a hundredth of the memory is all there is."""
    arguments = [sys.executable, "-c", WITHOUT_MEMORY, str(data_folder), str(tmp_path / "run")]
    little = os.environ | {"RAY_memory_usage_threshold": "0.01", "RAY_memory_monitor_refresh_ms": "250"}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=500, check=False, env=little)
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stdout.splitlines() if line.startswith(("failed", "given up", "asked"))]
    reason = r"a worker that took \d\.\d+ GiB was ended again and again, .* batch_size"
    expected = [f"given up: {reason}", *3 * [f"failed {reason}"], f"given up: 3 points in a row failed.*{reason}"]
    assert [bool(re.match(pattern, line)) for pattern, line in zip(expected, said, strict=False)] == 5 * [True], said
    assert said[5:] == ["asked to end True"]
