"""Which GPUs a sweep may have, and so which preset it takes where none is named."""

import shutil
from pathlib import Path

import pytest

from sweep import presets
from sweep.cluster import nodes, offers
from sweep.cluster.offers import Offer
from sweep.run import main

FILE = Path(__file__).parents[3] / "ray_cluster.yaml"


@pytest.mark.usefixtures("local_ray")
def test_gpus_that_an_autoscaler_may_start_count_where_the_head_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert offers.of_cluster("head:1") == Offer("the cluster at head:1", 0, 0)
    # As `ray up` leaves it on the head.
    shutil.copy(FILE, tmp_path / "ray_bootstrap_config.yaml")
    offer = offers.of_cluster("head:1")
    assert str(offer) == "the cluster at head:1 has no GPU now and may have 8"
    assert presets.default(offer.most) == "paper"


def test_an_offer_is_a_sentence() -> None:
    said = [str(Offer("this machine", *gpus)) for gpus in ((0, 0), (1, 1), (2, 2), (1, 4))]
    assert said == [
        "this machine has no GPU",
        "this machine has 1 GPU",
        "this machine has 2 GPUs",
        "this machine has 1 GPU now and may have 4",
    ]
    assert presets.default(0) == "cpu"


@pytest.mark.parametrize(("named", "found"), [("local", None), ("head:6379", "head:6379")])
def test_the_cluster_is_the_one_that_a_sweep_joins(
    named: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", named)
    assert nodes.address() == found


def test_a_cluster_that_does_not_answer_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run"])
    assert main() == 2
    said = capsys.readouterr().err
    assert (said.count("\n"), "no Ray cluster answers at 127.0.0.1:9" in said) == (1, True)
    assert not list(tmp_path.iterdir())


def test_this_machine_says_which_preset_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "local")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run", "--hours", "1", "--codec", "unheard-of"])
    assert main() == 2
    preset = presets.default(offers.of_this_machine().most)
    assert capsys.readouterr().err.startswith(f"preset {preset}: this machine has ")
