"""The pace of a sweep, measured on a real Ray in a process of its own."""

from pathlib import Path

import pytest
from commands import completed


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("strategy", "none"),
    [("conditional", "['polish', 'reading']"), ("shared", "['polish', 'reading', 'team']")],
)
def test_every_part_of_a_sweep_takes_its_time_and_leaves_nothing(
    strategy: str, none: str, data_folder: Path, tmp_path: Path
) -> None:
    code, said, complained = completed(tmp_path, "pace.py", str(data_folder), "run", strategy)
    assert code == 0, complained[-3000:]
    assert said.splitlines()[-4:] == ["places 2", f"none {none}", "less []", "left []"]
