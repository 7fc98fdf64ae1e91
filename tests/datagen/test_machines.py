"""What a cluster offers: a real one on this machine, and what its autoscaler says that it may start."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
import ray
import requests
from commands import call
from ray.autoscaler._private.kuberay.node_provider import KubernetesHttpApiClient

from datagen import machines

FILE = Path(__file__).parents[2] / "ray_cluster.yaml"
CPUS, GPUS = 4 * [Counter(CPU=16)], 8 * [Counter(CPU=8, GPU=1)]
"""What it may start."""
GPU_ONLY = "{available_node_types: {gpu: {resources: {CPU: 8, GPU: 1}, max_workers: 2}}}"


def group(name: str, limits: dict[str, str], least: int = 0, most: int = 0) -> dict:
    """As a RayCluster resource has it."""
    container = {"name": "ray", "resources": {"limits": limits}}
    spec = {"rayStartParams": {}, "template": {"spec": {"containers": [container]}}}
    return spec | {"groupName": name, "replicas": least, "minReplicas": least, "maxReplicas": most}


@pytest.fixture
def kuberay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict:
    """The specification of a KubeRay cluster in which we are."""
    spec = {
        "enableInTreeAutoscaling": True,
        "headGroupSpec": group("head", {"cpu": "2", "memory": "4Gi"}),
        "workerGroupSpecs": [group("gpu", {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}, 0, 3)],
    }
    (tmp_path / "namespace").write_text("team")
    monkeypatch.setattr(machines, "NAMESPACE", tmp_path / "namespace")
    monkeypatch.setenv("RAY_CLUSTER_NAME", "mine")
    monkeypatch.setattr(KubernetesHttpApiClient, "get", lambda self, path: {"rayclusters/mine": {"spec": spec}}[path])
    machines._kuberay.cache_clear()
    return spec


def _forbidden(client: KubernetesHttpApiClient, path: str) -> dict:
    raise requests.HTTPError("403 Client Error: Forbidden")


@pytest.fixture(autouse=True)
def forget_kuberay():
    yield
    machines._kuberay.cache_clear()


def test_kuberay_may_start_as_many_as_its_groups_have_at_most(kuberay: dict, tmp_path: Path) -> None:
    found = machines.planned(tmp_path / "none.yaml")
    assert [(machine["CPU"], machine["GPU"]) for machine in found] == 3 * [(8, 1)]


def test_kuberay_without_its_autoscaler_starts_none(kuberay: dict, tmp_path: Path) -> None:
    del kuberay["enableInTreeAutoscaling"]
    assert not machines.planned(tmp_path / "none.yaml")


def test_kuberay_that_may_not_be_asked_starts_none(
    kuberay: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(KubernetesHttpApiClient, "get", _forbidden)
    assert not machines.planned(tmp_path / "none.yaml")
    assert "what KubeRay may start is not known" in caplog.text


@pytest.mark.usefixtures("local_ray")
def test_machines_that_the_autoscaler_may_start_count_too(tmp_path: Path) -> None:
    assert machines.machines(bootstrap=tmp_path / "none.yaml") == [Counter(CPU=2)]
    bootstrap = tmp_path / "ray_bootstrap_config.yaml"
    bootstrap.write_bytes(FILE.read_bytes())
    assert machines.machines(bootstrap=bootstrap) == [Counter(CPU=2), *CPUS, *GPUS]
    bootstrap.write_text("available_node_types: {local.cluster.node: {resources: {}, max_workers: 3}}")
    assert machines.machines(bootstrap=bootstrap) == [Counter(CPU=2)]


@pytest.mark.usefixtures("local_ray")
def test_work_without_gpus_starts_no_machine_that_has_some(tmp_path: Path) -> None:
    assert machines.machines(False, FILE) == [Counter(CPU=2), *CPUS]
    bootstrap = tmp_path / "ray_bootstrap_config.yaml"
    bootstrap.write_text(GPU_ONLY)
    assert machines.machines(False, bootstrap) == [Counter(CPU=2)]


@ray.remote(num_cpus=0)
def _double(number: int) -> int:
    return 2 * number


@pytest.mark.usefixtures("local_ray")
def test_tasks_are_shared_out_so_many_at_a_time() -> None:
    started: list[int] = []
    ended: list[int] = []

    def start(number: int) -> ray.ObjectRef:
        started.append(number)
        return _double.remote(number)

    for number, task in machines.shared_out(start, range(10), lambda: 3):
        assert len(started) - len(ended) <= 3
        assert ray.get(task) == 2 * number
        ended.append(number)
    assert sorted(ended) == started == [*range(10)]


@pytest.mark.slow
def test_machines_with_gpus_that_are_up_take_other_work(tmp_path: Path) -> None:
    bootstrap = tmp_path / "ray_bootstrap_config.yaml"
    bootstrap.write_text(GPU_ONLY)
    done = subprocess.run(
        call("machines_with_gpus.py", str(bootstrap)), capture_output=True, text=True, timeout=200, check=False
    )
    assert done.stdout.split()[-1:] == ["4"], done.stderr
