"""The files of clusters that the project ships."""

from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from documents import ROOT

FOLDER = ROOT / "docs" / "clusters"
AWS = ROOT / "ray_cluster.yaml"
LAUNCHED = (AWS, FOLDER / "gcp.yaml", FOLDER / "on-premises.yaml")
"""What `ray up` takes."""
KUBERAY = (FOLDER / "kuberay-cluster.yaml", FOLDER / "kuberay-job.yaml")
STORE = FOLDER / "aws-store.yaml"
COMMANDS = ("initialization", "setup", "head_start_ray", "worker_start_ray")


class CloudFormation(yaml.SafeLoader):
    """Reads `!Sub text` and the like as what follows."""


CloudFormation.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node)
    ),
)


def read(file: Path) -> dict[str, Any]:
    return yaml.load(file.read_text(), CloudFormation)


def shell(file: Path) -> list[str]:
    """All commands that the machines of a launched cluster run."""
    config = read(file)
    return [*chain.from_iterable(config[f"{kind}_commands"] for kind in COMMANDS)]


def ray_cluster(file: Path) -> dict[str, Any]:
    """The specification of a KubeRay cluster, that of a job's own included."""
    spec = read(file)["spec"]
    return spec.get("rayClusterSpec", spec)


def containers(file: Path) -> list[dict[str, Any]]:
    """Of all pods of a KubeRay cluster."""
    spec = ray_cluster(file)
    groups = (spec["headGroupSpec"], *spec["workerGroupSpecs"])
    return [container for group in groups for container in group["template"]["spec"]["containers"]]
