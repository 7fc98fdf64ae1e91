"""What the strategies decide."""

from contextlib import nullcontext
from dataclasses import replace
from typing import get_args

import pytest

from sweep.config import StageConfig, override
from sweep.errors import SweepError
from sweep.names import StrategyName
from sweep.presets import cpu
from sweep.stages import strategies
from sweep.stages.strategies import CONDITIONAL, CONTINUED, INDEPENDENT, SHARED, STRATEGIES, Strategy


def images(stage: StageConfig) -> int:
    return stage.steps * stage.batch_size


def test_every_name_has_its_strategy() -> None:
    assert set(STRATEGIES) == set(get_args(StrategyName))
    for name, strategy in STRATEGIES.items():
        assert strategies.of(strategy.split_budget(cpu())) is strategy is STRATEGIES[name]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())
def test_every_strategy_trains_on_as_many_images(strategy: Strategy) -> None:
    preset = override(cpu(), budget=20)
    config = strategy.split_budget(preset)
    base = [strategy.base_node(config, rate_weight) for rate_weight in config.search.lambdas]
    trials = [strategy.trial_node(config, config.search.lambdas[0], beta / 1000) for beta in range(1, 21)]
    nodes = {each.key: each for node in (*base, *trials) for each in (node, *node.ancestors)}
    seen = [
        sum(images(node.stage) for node in nodes.values() if bool(node.recognizer) == taught)
        for taught in (False, True)
    ]
    assert seen == pytest.approx([images(preset.stage1), images(preset.stage2)], rel=0.01)


@pytest.mark.parametrize(("strategy", "count"), [(CONDITIONAL, 1), (SHARED, 6), (CONTINUED, 1), (INDEPENDENT, 6)])
def test_training_starts_where_nothing_comes_before(strategy: Strategy, count: int) -> None:
    roots = strategy.roots(strategy.split_budget(cpu()))
    assert len(roots) == count
    assert all(root.parent is None for root in roots)


def test_only_folds_that_are_polished_train() -> None:
    assert not CONDITIONAL.trials_train(cpu())
    assert CONDITIONAL.trials_train(replace(cpu(), polish_steps=1))
    assert SHARED.trials_train(SHARED.split_budget(cpu()))


@pytest.mark.parametrize(
    ("change", "able", "said"),
    [
        (
            {"polish_steps": 3},
            {"conditional"},
            "--polish-steps 3: 0 or more, and more than 0 with --strategy conditional",
        ),
        ({"vary": (("steps", 2, 4),)}, {"shared", "independent"}, "--vary needs trials .*: --strategy shared or indep"),
    ],
)
def test_a_strategy_refuses_what_it_cannot_do(change: dict[str, object], able: set[StrategyName], said: str) -> None:
    for name, strategy in STRATEGIES.items():
        config = override(strategy.split_budget(cpu()), **change)
        with nullcontext() if name in able else pytest.raises(SweepError, match=said):
            strategy.check(config)
