"""The files of clusters: Ray accepts them, their machines are what work needs, and nobody else gets in."""

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import clusters
import documents
import pytest
from clusters import AWS, KUBERAY, LAUNCHED, STORE
from documents import ROOT
from ray.autoscaler._private.aws import config as aws
from ray.autoscaler._private.kuberay import autoscaling_config
from ray.autoscaler._private.providers import _get_node_provider_cls
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil

EACH = pytest.mark.parametrize("file", LAUNCHED, ids=lambda file: file.stem)
EACH_KUBERAY = pytest.mark.parametrize("file", KUBERAY, ids=lambda file: file.stem)
CLOUDS = pytest.mark.parametrize("file", LAUNCHED[:2], ids=lambda file: file.stem)


NEEDED = ("pyproject.toml", "README.md", "LICENSE", *documents.PACKAGES)
"""What `uv sync` makes the environment of, and what runs."""


def prepared(file: Path) -> dict[str, Any]:
    """As Ray completes it."""
    return prepare_config(copy.deepcopy(clusters.read(file)))


def started(config: dict[str, Any], needs: dict[str, float], tasks: int) -> Counter[str]:
    """Machines that Ray's autoscaler starts for so many tasks while only the head is up, by type."""
    read = AutoscalingConfig(config, skip_content_hash=True)
    reply = ResourceDemandScheduler().schedule(
        SchedulingRequest(
            disable_launch_config_check=True,
            node_type_configs=read.get_node_type_configs(),
            max_num_nodes=read.get_max_num_nodes(),
            resource_requests=ResourceRequestUtil.group_by_count(tasks * [ResourceRequestUtil.make(needs)]),
        )
    )
    return Counter({each.instance_type: each.count for each in reply.to_launch})


@EACH
def test_ray_accepts_it(file: Path) -> None:
    validate_config(prepared(file))


def test_rays_check_refuses_a_broken_one() -> None:
    with pytest.raises(Exception, match=r"is not valid|Additional properties"):
        validate_config(prepare_config(clusters.read(AWS) | {"nonsense": 1}))


def test_ray_can_start_machines_on_aws() -> None:
    assert _get_node_provider_cls(clusters.read(AWS)["provider"]).__name__ == "AWSNodeProvider"


@CLOUDS
def test_machines_scale_from_zero_and_the_head_has_no_gpu(file: Path) -> None:
    types = clusters.read(file)["available_node_types"]
    assert {name for name, node in types.items() if "GPU" in node["resources"]} == {"gpu"}
    assert all(types[name]["min_workers"] == 0 < types[name]["max_workers"] for name in ("cpu", "gpu"))
    assert sum(types[name]["max_workers"] for name in ("cpu", "gpu")) <= clusters.read(file)["max_workers"]


@pytest.mark.parametrize("file", [*LAUNCHED[:2], KUBERAY[0]], ids=lambda file: file.stem)
def test_work_without_gpus_starts_machines_without_them(file: Path) -> None:
    if file in KUBERAY:
        resource = clusters.read(file)
        resource["metadata"]["namespace"] = "team"
        config = autoscaling_config._derive_autoscaling_config_from_ray_cr(resource)
    else:
        config = prepared(file)
    # All that `machines.cores` lets wait at a time, but for the head's.
    assert started(config, {"CPU": 1}, 4 * 16).keys() - {config["head_node_type"]} == {"cpu"}
    assert started(config, {"CPU": 2, "GPU": 0.25}, 16)["gpu"] == 4
    assert started(config, {"CPU": 2, "GPU": 0.25}, 16)["cpu"] == 0


def test_spot_machines_do_the_work_and_the_head_stays() -> None:
    types = clusters.read(AWS)["available_node_types"]
    spot = {name for name, node in types.items() if "InstanceMarketOptions" in node["node_config"]}
    assert spot == {"cpu", "gpu"}


def test_ray_leaves_the_image_to_ec2() -> None:
    config = prepared(AWS)
    aws._check_ami(config)
    images = {node["node_config"]["ImageId"] for node in config["available_node_types"].values()}
    assert [image.partition("/")[0] for image in images] == ["resolve:ssm:"]


def test_ray_opens_no_port_but_ssh_to_the_world() -> None:
    provider = clusters.read(AWS)["provider"]
    rules = aws._create_default_inbound_rules({"sg-1"}, provider.get("security_group", {}).get("IpPermissions"))
    assert [rule["ToPort"] for rule in rules if "IpRanges" in rule] == [22]


@EACH
def test_nothing_listens_to_the_world(file: Path) -> None:
    assert "0.0.0.0" not in file.read_text()
    head = clusters.read(file)["head_start_ray_commands"][-1]
    assert "--dashboard-host=127.0.0.1" in head
    assert "--ray-client-server-port" not in head


@EACH
def test_every_machine_and_client_shows_the_token(file: Path) -> None:
    config = clusters.read(file)
    assert any("RAY_AUTH_MODE=token" in command for command in config["initialization_commands"])
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


@EACH
def test_every_machine_has_the_projects_environment_and_ray_is_that_of_it(file: Path) -> None:
    config = clusters.read(file)
    code = {there: here for there, here in config["file_mounts"].items() if there.startswith("~/tfic-sweep/")}
    assert {f"~/tfic-sweep/{here}": here for here in NEEDED} == code
    assert any("uv sync --no-dev" in command for command in config["setup_commands"])
    calls = re.findall(r"(\S*)ray (?:start|stop)", " ".join(clusters.shell(file)))
    assert len(calls) == 4
    assert set(calls) == {"~/tfic-sweep/.venv/bin/"}
    # What Ray would add by itself goes into another Python.
    assert not prepared(file)["head_setup_commands"][len(config["setup_commands"]) :]


@EACH
def test_installing_waits_for_a_machine_that_updates_itself(file: Path) -> None:
    for command in clusters.shell(file):
        assert command.count("apt-get") == command.count("DPkg::Lock::Timeout") + command.count("update -qq && break")


@EACH
def test_the_store_is_one_line(file: Path) -> None:
    text = file.read_text()
    assert text.count("TFIC_STORE=") == 1
    assert text.index("TFIC_STORE=") < text.index("available_node_types") if file in LAUNCHED[:2] else True


def test_roles_and_bucket_have_the_names_that_the_cluster_file_uses() -> None:
    made = clusters.read(STORE)["Resources"]
    profiles = [each for each in made.values() if each["Type"] == "AWS::IAM::InstanceProfile"]
    used = [node["node_config"]["IamInstanceProfile"] for node in clusters.read(AWS)["available_node_types"].values()]
    assert {each["Properties"]["InstanceProfileName"] for each in profiles} == {each["Name"] for each in used}
    bucket = made["Store"]["Properties"]["BucketName"].replace("${AWS::AccountId}", "$TFIC_ACCOUNT")
    assert f"s3://{bucket}'" in AWS.read_text()


def test_workers_may_read_and_write_the_bucket_and_nothing_else() -> None:
    made = clusters.read(STORE)["Resources"]
    assert made["WorkerRole"]["Properties"]["ManagedPolicyArns"] == ["StoreAccess"]
    assert "Policies" not in made["WorkerRole"]["Properties"]
    [folder, files] = made["StoreAccess"]["Properties"]["PolicyDocument"]["Statement"]
    assert (folder["Resource"], files["Resource"]) == ("Store.Arn", "${Store.Arn}/*")
    assert not [action for each in (folder, files) for action in each["Action"] if "*" in action]
    assert made["Store"]["DeletionPolicy"] == "Retain"


@EACH_KUBERAY
def test_kuberay_starts_pods_when_work_waits_and_asks_for_the_token(file: Path) -> None:
    spec = clusters.ray_cluster(file)
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["enableInTreeAutoscaling"]
    assert all(
        group["replicas"] == group["minReplicas"] == 0 < group["maxReplicas"] for group in spec["workerGroupSpecs"]
    )
    assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert not any("ports" in container for container in clusters.containers(file))


@EACH_KUBERAY
def test_kuberays_pods_have_one_image_and_one_store(file: Path) -> None:
    found = clusters.containers(file)
    assert {container["image"] for container in found} == {"YOUR-REGISTRY/tfic-sweep"}
    assert {
        variable["value"] for each in found for variable in each.get("env", ()) if variable["name"] == "TFIC_STORE"
    } == {"s3://YOUR-BUCKET"}
    assert "AWS_SECRET_ACCESS_KEY" not in file.read_text()


def test_the_image_has_the_projects_environment() -> None:
    text = (clusters.FOLDER / "Dockerfile").read_text()
    assert "uv sync --no-dev" in text
    assert {each for line in re.findall("COPY (.+) ", text) for each in line.split()} == {*NEEDED}


@pytest.mark.parametrize("file", KUBERAY, ids=lambda file: file.stem)
def test_rays_version_is_the_environments(file: Path) -> None:
    assert f">={clusters.ray_cluster(file)['rayVersion'].removesuffix('.0')}" in (ROOT / "pyproject.toml").read_text()


def blocks(page: Path) -> list[str]:
    """Commands of a page's shell blocks."""
    return [line for block in documents.read(page).blocks if block.language == "sh" for line in block.lines]


def test_the_pages_have_the_commands_of_the_file() -> None:
    commands = re.findall(r"^#   (.+)$", AWS.read_text(), re.MULTILINE)
    assert len(commands) == 6
    assert set(commands) <= set(blocks(ROOT / "docs" / "cluster.md"))
    shown = [line for line in blocks(ROOT / "README.md") if "ray_cluster.yaml" in line or "cloudformation" in line]
    assert shown
    assert set(shown) <= set(commands)


@pytest.mark.parametrize("page", documents.PAGES, ids=lambda page: page.name)
def test_no_sweep_ends_with_the_laptops_lid(page: Path) -> None:
    for line in blocks(page):
        if "ray exec" in line and "sweep.run" in line:
            assert "--tmux" in line or "ray job submit" in line, line
