"""The checks of one machine: this one, as it is and with what can be wrong with it."""

import shutil
from pathlib import Path

import pytest
import reader
import torch

from models.recognizers import ensemble, registry
from sweep.checks import devices, machine, reading
from sweep.training.loop import computes_bfloat16

ENGLISH_G2 = ensemble.parse(["english_g2"])


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*machine.PINS, "OMP_NUM_THREADS", "OMP_THREAD_LIMIT"):
        monkeypatch.delenv(name, raising=False)


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert machine.cores() == ("ok", "cores", "1 cores", "")
    status, _, found, fix = machine.cores(counted=8)
    assert (status, found) == ("warn", "1 cores, of which Ray counts 8")
    assert "--num-cpus 1" in fix


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("OMP_NUM_THREADS", "1", "ok"),
        ("OMP_PROC_BIND", "close", "warn"),
        ("OMP_PROC_BIND", "FALSE", "ok"),
        ("GOMP_CPU_AFFINITY", "0-3", "warn"),
        ("KMP_AFFINITY", "disabled", "ok"),
    ],
)
def test_threads_that_the_environment_binds_are_named(
    name: str, value: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    found = machine.cores()
    assert (found.status, name in str(found)) == (status, status == "warn" or name == "OMP_NUM_THREADS")


def test_a_disk_or_a_memory_that_is_too_small_is_told_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ENOUGH_DISK", 2**60)
    assert machine.disk(tmp_path / "not" / "yet").status == "warn"
    monkeypatch.setattr(machine, "LEAST_DISK", 2**60)
    assert str(machine.disk(tmp_path)).startswith("FAIL  disk ")
    monkeypatch.setattr(machine, "PEAK", 2.0**60)
    assert machine.memories()[0].status == "warn"


def test_gpus_and_bfloat16_are_what_training_would_use() -> None:
    assert (devices.gpus()[0].found.startswith("none")) != torch.cuda.is_available()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found = devices.bfloat16()
    assert (found.status == "ok") == computes_bfloat16(device)
    assert found.status == "ok" or "three hours" in found.found or "GPU" in found.found


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU that works")
def test_a_gpu_that_ray_counts_and_pytorch_cannot_use_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.gpus(counted=1)[0].status == "FAIL"
    monkeypatch.setattr(devices, "DRIVER", Path(__file__))
    assert "can use no GPU" in str(devices.gpus()[0])


def test_the_recognizer_reads_what_is_drawn() -> None:
    assert reading.recognizer(ENGLISH_G2) == ("ok", "recognizer", "english_g2 reads 'weather' rightly", "")


def test_damaged_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "english_g2.pth"
    content = bytearray(registry._english_g2_path().read_bytes())
    content[len(content) // 2] ^= 64
    damaged.write_bytes(content)
    monkeypatch.setattr(registry, "_english_g2_path", lambda: damaged)
    found = reading.recognizer(ENGLISH_G2)
    assert (found.status, str(damaged) in found.found) == ("FAIL", True)


def test_a_recognizer_of_ones_own_that_reads_something_else_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reader.__file__, tmp_path / "checked_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert reading.recognizer(ensemble.parse(["checked_reader:load"])).status == "warn"
