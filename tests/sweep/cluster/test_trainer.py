"""One stage on two workers: a real Ray Train, in a process of its own."""

from pathlib import Path

import pytest
from commands import completed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(task: str, data_folder: Path, folder: Path) -> str:
    code, said, complained = completed(folder, "train_together.py", str(data_folder), "run", task)
    assert code == 0, complained[-3000:]
    return said


def test_a_killed_worker_costs_no_step_that_was_saved(data_folder: Path, tmp_path: Path) -> None:
    said = run("kill", data_folder, tmp_path)
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 60 by 2\n") == 1
    assert "files True" in said


def test_all_workers_end_when_they_are_asked_to_and_go_on_from_there(data_folder: Path, tmp_path: Path) -> None:
    said = run("interrupt", data_folder, tmp_path)
    assert "interrupted True" in said
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 120 by 2\n") == 1
    assert "files True" in said


def test_the_workers_that_are_left_go_on_without_a_lost_node(data_folder: Path, tmp_path: Path) -> None:
    said = run("remove", data_folder, tmp_path)
    assert said.count("step 10 by 2\n") == 1
    assert said.count("step 60 by 1\n") == 1
    assert "files True" in said


def test_a_training_that_diverges_ends_with_its_reason(data_folder: Path, tmp_path: Path) -> None:
    said = run("diverge", data_folder, tmp_path)
    assert "failed: the codec's training failed: the loss is" in said
    assert "files False" in said
