import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from nodes import base_node, trial_node

from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile
from sweep import versions
from sweep.config import SweepConfig, override
from sweep.presets import aimed, smoke
from sweep.stages import tree
from sweep.stages.strategies import CONDITIONAL, CONTINUED, INDEPENDENT, SHARED, Strategy
from sweep.versions import Versions

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("strategy", "base", "trial"),
    [
        (CONDITIONAL, "4ffcb13dacd57ba0", "16b1aee37c953002"),
        (SHARED, "384952fc93dc40ce", "6162021fa4dfa272"),
        (CONTINUED, "320f0482d78ff94d", "e8742654c2cb858a"),
        (INDEPENDENT, "e1bef9a26d7d1520", "12e51d16c2effc5f"),
    ],
)
def test_keys_stay_what_they_are(strategy: Strategy, base: str, trial: str) -> None:
    """Otherwise every user's store would be trained anew; numbers of versions are raised where that is meant."""
    config = strategy.split_budget(aimed(smoke(), "image"))
    numbers = Versions(renderer=4, training=1, conditioning=1, recognizers=1, codec=1)
    origins = ((0.02, 0.001), (0.015, 0.002)) if strategy.continues else ()
    nodes = base_node(config, config.search.lambdas[0]), trial_node(config, config.search.lambdas[1], 0.01, origins)
    assert [tree.as_of(node, "92753704c717272e", numbers).key for node in nodes] == [base, trial]


def test_trials_of_one_lambda_share_their_stage_1(config: SweepConfig) -> None:
    a, b = trial_node(config, 0.01, 0.1), trial_node(config, 0.01, 0.2)
    assert a.parent == b.parent == base_node(config, 0.01)
    assert a.key != b.key
    assert a.parent != trial_node(config, 0.02, 0.1).parent


def test_independent_trials_share_nothing(config: SweepConfig) -> None:
    independent = replace(config, strategy="independent")
    a, b = trial_node(independent, 0.01, 0.1), trial_node(independent, 0.01, 0.2)
    assert a.parent is not None
    assert len({a.key, b.key, a.parent.key, base_node(independent, 0.01).key}) == 4
    assert a.parent != b.parent


def test_a_key_names_all_that_the_outcome_depends_on(config: SweepConfig) -> None:
    node = trial_node(config, 0.01, 0.1)
    variants = [
        replace(node, data="other"),
        replace(node, codec="mbt2018-mean"),
        replace(node, recognizer="other"),
        replace(node, stage=replace(node.stage, learning_rate=1.0)),
        replace(node, seed=1),
        replace(node, parent=None),
    ]
    assert len({node.key, *(variant.key for variant in variants)}) == 7
    assert trial_node(config, 0.01, 0.1).key == node.key


def test_a_recognizers_weights_are_part_of_a_key_wherever_they_lie(config: SweepConfig) -> None:
    def key(path: str, sha256: str) -> str:
        recognizer_config = RecognizerConfig("trba", source=WeightsFile(path, sha256))
        return trial_node(replace(config, recognizers=(recognizer_config,)), 0.01, 0.1).key

    assert key("a.pth", "1" * 64) == key("b.pth", "1" * 64)
    assert key("a.pth", "1" * 64) != key("a.pth", "2" * 64)


def test_a_users_code_is_part_of_a_key_wherever_it_lies(config: SweepConfig) -> None:
    def key(folder: str, code: str | None) -> str:
        recognizer_config = RecognizerConfig("mine:load", source=Plugin(folder, "1" * 64, code))
        return trial_node(replace(config, recognizers=(recognizer_config,)), 0.01, 0.1).key

    assert key("here", "2" * 64) == key("there", "2" * 64)
    assert len({key("here", "2" * 64), key("here", "3" * 64), key("here", None)}) == 3


def test_shares_are_part_of_a_key_and_scale_is_not(config: SweepConfig) -> None:
    def key(*weights: float) -> str:
        configs = (
            RecognizerConfig("english_g2", weights[0]),
            RecognizerConfig("mine:load", weights[1], Plugin("here", "1" * 64)),
        )
        return trial_node(replace(config, recognizers=configs), 0.01, 0.1).key

    assert key(1.0, 1.0) == key(2.0, 2.0)
    assert key(1.0, 1.0) != key(1.0, 2.0)


def test_a_checkpoint_is_part_of_a_key_wherever_it_lies(config: SweepConfig, conditional: SweepConfig) -> None:
    for each in (config, conditional):
        keys = {
            path + sha256: trial_node(replace(each, init=WeightsFile(path, sha256)), 0.01, 0.1).key
            for path in ("a.pth", "b.pth")
            for sha256 in ("1" * 64, "2" * 64)
        }
        assert keys["a.pth" + "1" * 64] == keys["b.pth" + "1" * 64]
        assert len({*keys.values(), trial_node(each, 0.01, 0.1).key}) == 3


def test_an_older_release_finds_its_keys_again(config: SweepConfig) -> None:
    """Before there were versions, checkpoints to start from and clean renderings; data of another renderer."""
    node = tree.as_of(trial_node(config, 0.01, 0.1), "data", None)
    assert node.parent is not None
    later = ("init", "versions", "text_weight")

    def known(items: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in items if name not in later}

    before = asdict(node.parent, dict_factory=known) | {"data": "data"}
    fields = asdict(node, dict_factory=known) | {"parent": before}
    assert node.key == hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("training", "plain1 plain2 conditioned1 conditioned2 folded2"),
        ("small", "plain1 plain2 conditioned1 conditioned2 folded2"),
        ("conditioning", "conditioned1 conditioned2 folded2"),
        ("recognizers", "plain2 conditioned2 folded2"),
        ("elic", ""),
        ("renderer", ""),
    ],
)
def test_a_raised_number_changes_the_keys_of_what_depends_on_it(
    config: SweepConfig, conditional: SweepConfig, name: str, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys() -> dict[str, str]:
        nodes = {
            "plain1": base_node(config, 0.01),
            "plain2": trial_node(config, 0.01, 0.1),
            "conditioned1": tree.conditioned1(conditional),
            "conditioned2": tree.conditioned2(conditional),
            "folded2": trial_node(conditional, 0.01, 0.1),
        }
        return {name: node.key for name, node in nodes.items()}

    before = keys()
    monkeypatch.setitem(versions.TABLE, name, versions.TABLE[name]._replace(number=99))
    after = keys()
    assert {node for node in before if before[node] != after[node]} == {*changed.split()}


def test_the_budget_is_no_part_of_a_key(config: SweepConfig) -> None:
    assert trial_node(override(config, budget=99), 0.01, 0.1).key == trial_node(config, 0.01, 0.1).key


def test_points_of_one_conditioned_codec_share_both_its_stages(conditional: SweepConfig) -> None:
    first, second = CONDITIONAL.shared_nodes(conditional)
    a, b = trial_node(conditional, 0.01, 0.1), trial_node(conditional, 0.02, 0.2)
    assert a.parent == b.parent == second
    assert second.parent == first
    assert a.key != b.key
    assert base_node(conditional, 0.01).parent == first
    assert (first.recognizer, second.recognizer) == (None, conditional.recognizer_identity)
    assert a.stage.steps == 0


def test_polish_and_labels_are_part_of_a_key(conditional: SweepConfig) -> None:
    keys = {
        trial_node(override(conditional, **change), 0.01, 0.1).key
        for change in ({}, {"polish_steps": 5}, {"labels": "pseudo"}, {"betas": (0.1, 0.2)})
    }
    assert len(keys) == 4
