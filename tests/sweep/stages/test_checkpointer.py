"""States of a training under way, in files."""

from pathlib import Path

import torch
from nodes import base_node

from sweep.config import SweepConfig
from sweep.stages.checkpointer import FileCheckpointer
from sweep.stages.store import Store
from sweep.training.checkpoint import TrainingState


def test_half_written_files_of_a_killed_worker_go_with_its_half_done_training(
    config: SweepConfig, tmp_path: Path
) -> None:
    node, other = base_node(config, 0.01), base_node(config, 0.02)
    left = [tmp_path / f".{key}.7.partial" for key in (f"{node.key}.partial.pt", f"{node.key}.pt", f"{other.key}.pt")]
    for path in left:
        path.touch()
    Store(tmp_path).forget(node.key)
    assert [path.exists() for path in left] == [False, False, True]


def test_a_checkpointer_gives_back_the_last_state_of_another_process(tmp_path: Path) -> None:
    state = TrainingState(3, {"w": torch.ones(2)}, {"state": {}}, halvings=1)
    FileCheckpointer(tmp_path / "key.partial.pt", seconds=0).save(state)
    checkpointer = FileCheckpointer(tmp_path / "key.partial.pt", seconds=60)
    restored = checkpointer.restore()
    assert restored is not None
    assert (restored.step, restored.codec["w"].tolist(), restored.halvings) == (3, [1, 1], 1)
    assert (checkpointer.due(), FileCheckpointer(tmp_path / "key.partial.pt", seconds=0).due()) == (False, True)
    checkpointer.forget()
    assert checkpointer.restore() is None


def test_a_checkpointer_goes_back_one_state_and_not_behind_the_first(tmp_path: Path) -> None:
    checkpointer = FileCheckpointer(tmp_path / "key.partial.pt", seconds=0)
    for step in range(3):
        checkpointer.save(TrainingState(step, {}, {}))
    for _ in range(2):
        checkpointer.drop_last()
        restored = checkpointer.restore()
        assert restored is not None
        assert restored.step == 1


def test_of_states_that_are_damaged_the_last_whole_one_is_given_back(tmp_path: Path) -> None:
    checkpointer = FileCheckpointer(tmp_path / "key.partial.pt", seconds=0)
    for step in range(2):
        checkpointer.save(TrainingState(step, {}, {}))
    for name, step in (("key.partial.pt", 0), ("key.earlier.pt", None)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        restored = checkpointer.restore()
        assert (restored and restored.step) == step
        assert (tmp_path / f"{name}.damaged").read_bytes() == content[: len(content) // 2]
