"""The commands that machines of a cluster run, in a shell of a home of their own."""

import os
import subprocess
import time
from pathlib import Path

import clusters
import pytest
from clusters import AWS, LAUNCHED

EACH = pytest.mark.parametrize("file", LAUNCHED, ids=lambda file: file.stem)
IDENTITY = """{
  "accountId" : "123456789012",
  "architecture" : "x86_64",
  "privateIp" : "172.31.2.15",
  "region" : "us-west-2",
  "version" : "2017-09-30"
}"""
"""What EC2 tells a machine of itself."""
CURL = """#!/bin/sh
case "$*" in
*api/token*) echo TOKEN ;;
*"X-aws-ec2-metadata-token: TOKEN"*instance-identity/document*) echo '%s' ;;
*) exit 22 ;;
esac
"""
STORES = dict(zip(LAUNCHED, ("s3://tfic-sweep-123456789012", "gs://YOUR-BUCKET", "/shared/tfic-sweep"), strict=True))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine's, on which curl answers as EC2 does."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text(CURL % IDENTITY)
    (tmp_path / "bin" / "curl").chmod(0o755)
    (tmp_path / ".bashrc").write_text("# Ubuntu's\n")
    return tmp_path


def run(home: Path, command: str) -> str:
    """What a command prints, run as Ray runs it on a machine."""
    # Ray has an interactive shell read ~/.bashrc.
    done = subprocess.run(
        ["bash", "--norc", "-c", f"true && source ~/.bashrc && ({command})"],
        env={"HOME": str(home), "USER": "ubuntu", "PATH": f"{home / 'bin'}:{os.defpath}"},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@EACH
def test_commands_are_well_formed(file: Path) -> None:
    for command in clusters.shell(file):
        subprocess.run(["bash", "-n", "-c", command], check=True)


@EACH
def test_every_shell_knows_the_store_the_token_and_mlflow(file: Path, home: Path) -> None:
    for command in 2 * clusters.read(file)["initialization_commands"]:
        run(home, command)
    assert (home / ".bashrc").read_text().count(".tfic") == 1
    told = run(home, 'echo "$TFIC_STORE $RAY_AUTH_MODE $MLFLOW_TRACKING_URI [$TFIC_MLFLOW_DATABASE]"')
    assert told.split() == [STORES[file], "token", "http://127.0.0.1:5000", "[]"]
    if file == AWS:
        assert run(home, "echo $AWS_DEFAULT_REGION").split() == ["us-west-2"]


@EACH
def test_mlflows_server_outlives_the_connection(file: Path, home: Path) -> None:
    python = home / "tfic-sweep" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "<%s>" "$@"\nsleep 0.5\necho " alive"\n')
    python.chmod(0o755)
    for command in clusters.read(file)["initialization_commands"]:
        run(home, command)
    [start] = [each for each in clusters.read(file)["head_start_ray_commands"] if "mlflow_server" in each]
    run(home, start)
    while "alive" not in (said := (home / "mlflow.log").read_text()):
        time.sleep(0.1)
    assert said == f"<-m><sweep.tracking.mlflow_server><{STORES[file]}><--database><> alive\n"
