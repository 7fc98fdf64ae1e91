"""What an autoscaling cluster offers, and how work is cut to it."""

import time
from collections import Counter

import pytest

from sweep.cluster import gpu_memory, resources
from sweep.config import override
from sweep.presets import paper, smoke

GIB = 2**30


@pytest.mark.usefixtures("local_ray")
def test_a_machine_that_never_comes_is_named_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "PATIENCE", 0.05)
    monkeypatch.setattr(resources, "planned", lambda: 8 * [{"CPU": 8, "GPU": 1}])
    said: list[str] = []
    with resources.watched({"CPU": 4, "GPU": 0.5}, said.append):
        time.sleep(0.5)
    assert len(said) >= 3
    assert "with 4 CPU and 0.5 GPU" in said[0]
    assert "up are 1 of 2 CPU; the autoscaler may start 8 of 8 CPU and 1 GPU, unless a quota" in said[0]


@pytest.mark.usefixtures("local_ray")
def test_a_machine_that_is_there_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "PATIENCE", 0.05)
    with resources.watched({"CPU": 2}, pytest.fail):
        time.sleep(0.3)


@pytest.mark.usefixtures("local_ray")
def test_a_cluster_without_cores_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    later = iter([[Counter(CPU=0)], [], [], [], [Counter(CPU=0), Counter(CPU=4)], []])
    monkeypatch.setattr(resources, "machines", lambda gpus=True: next(later))
    monkeypatch.setattr(resources, "GLANCE_SECONDS", 0.01)
    said: list[str] = []
    assert resources.awaited(said.append) == [Counter(CPU=0), Counter(CPU=4)]
    [line] = said
    assert "waiting for a machine with 1 CPU" in line


@pytest.mark.parametrize("head", [0, 4])
def test_work_without_gpus_starts_a_machine_with_some_only_where_there_are_no_others(
    monkeypatch: pytest.MonkeyPatch, head: int
) -> None:
    there, startable = [Counter(CPU=head)], 8 * [Counter(CPU=8, GPU=1)]
    monkeypatch.setattr(resources, "machines", lambda gpus=True: there + startable if gpus else there)
    found = resources.awaited(pytest.fail, gpus=False)
    assert found == (there if head else startable[:1])
    assert resources.fit(override(smoke(), cpus_per_trial=1), found)[1] == (head or 8)


@pytest.mark.parametrize(
    ("cpus", "gpus", "machines", "fitting"),
    [
        (1, 0, [Counter(CPU=16)], (1, 0, 16)),
        (4, 0, [Counter(CPU=16)], (4, 0, 4)),
        (4, 0, [Counter(CPU=2), Counter(CPU=6)], (2, 0, 4)),
        (4, 1, [Counter(CPU=16, GPU=2)], (4, 1, 2)),
        (1, 0.5, [Counter(CPU=16, GPU=2)], (1, 0.5, 4)),
        (4, 1, [Counter(CPU=2, GPU=1)], (2, 1, 1)),
        (4, 1, [Counter(CPU=2)], (2, 0, 1)),
        (4, 1, [Counter(CPU=16, GPU=8)], (2, 1, 8)),
        (4, 1, 8 * [Counter(CPU=2, GPU=1)], (2, 1, 8)),
        (4, 0.25, [Counter(CPU=4), Counter(CPU=8, GPU=1)], (2, 0.25, 4)),
        (4, 1, [], (4, 0, 1)),
    ],
)
def test_trials_are_cut_to_each_machine_and_fill_it(
    cpus: int, gpus: float, machines: list[Counter[str]], fitting: tuple[int, float, int]
) -> None:
    config, concurrency = resources.fit(override(smoke(), cpus_per_trial=cpus, gpus_per_trial=gpus), machines)
    assert (config.resources.cpus_per_trial, config.resources.gpus_per_trial, concurrency) == fitting


@pytest.mark.parametrize(
    ("gpus", "machines", "member"),
    [
        (0, [Counter(CPU=2)], (2, 0, 1)),
        (0, 2 * [Counter(CPU=2)], (2, 0, 2)),
        (0, [Counter(CPU=4)], (2, 0, 2)),
        (0, 2 * [Counter(CPU=1)], (1, 0, 2)),
        (0, [Counter(CPU=16)], (4, 0, 4)),
        (0, 2 * [Counter(CPU=16)], (8, 0, 4)),
        (0, [Counter(CPU=10), Counter(CPU=4)], (3, 0, 4)),
        (0, [Counter(CPU=2), Counter(CPU=64)], (16, 0, 4)),
        (0, [Counter(CPU=4), *2 * [Counter(CPU=32)]], (16, 0, 4)),
        (0.5, 2 * [Counter(CPU=8, GPU=1)], (1, 1, 1)),
        (1, [Counter(CPU=2)], (2, 0, 1)),
    ],
)
def test_a_team_takes_whole_gpus_or_the_cores_of_each_machine(
    gpus: float, machines: list[Counter[str]], member: tuple[int, float, int]
) -> None:
    config, size = resources.team(override(smoke(), gpus_per_trial=gpus), machines, 32)
    assert (config.resources.cpus_per_trial, config.resources.gpus_per_trial, size) == member


@pytest.mark.parametrize(
    ("free", "machines", "share"),
    [
        (80 * GIB, [Counter(CPU=8, GPU=1)], 1 / gpu_memory.TOGETHER),
        (6 * GIB, [Counter(CPU=8, GPU=1)], 1 / 3),
        (0, [Counter(CPU=8, GPU=1)], 1.0),
        (80 * GIB, [Counter(CPU=8)], 1.0),
    ],
)
def test_trials_share_a_gpu_by_its_memory(free: int, machines: list[Counter[str]], share: float) -> None:
    config = resources.sharing(override(smoke(), gpus_per_trial=1.0), machines, pytest.fail, lambda: [free])
    assert config.resources.gpus_per_trial == pytest.approx(share)


def test_where_gpus_differ_the_smallest_tells_how_many_trials_share_each() -> None:
    said: list[str] = []
    free = [80 * GIB, 6 * GIB, 24 * GIB]
    config = resources.sharing(
        override(smoke(), gpus_per_trial=1.0), [Counter(CPU=8, GPU=3)], said.append, lambda: free
    )
    assert config.resources.gpus_per_trial == pytest.approx(1 / 3)
    assert said == ["GPUs have room for 3 to 4 trials: 3 share each (--trials-per-gpu N takes another number)"]


def test_shares_of_a_gpu_that_a_user_gives_need_no_look_at_a_gpu() -> None:
    machines = [Counter(CPU=8, GPU=1)]
    for asked in (override(smoke(), gpus_per_trial=0.5, shares_gpus=False), override(smoke(), gpus_per_trial=0.0)):
        assert resources.sharing(asked, machines, pytest.fail, pytest.fail) == asked


def test_several_gpus_train_together_where_each_has_enough_of_a_batch() -> None:
    sizes = [resources.team(paper(), 8 * [Counter(CPU=8, GPU=1)], batch)[1] for batch in (16, 512, 4096)]
    assert sizes == [1, 2, 8]


@pytest.mark.parametrize("share", range(1, 11))
def test_as_many_trials_share_a_gpu_as_are_asked_for(share: int) -> None:
    config = override(paper(), cpus_per_trial=1, gpus_per_trial=1 / share)
    assert resources.fit(config, 2 * [Counter(CPU=32, GPU=1)])[1] == 2 * share
