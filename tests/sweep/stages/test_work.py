"""Work, in images of stage 1, is as long as the seconds that were measured."""

import pytest

from sweep.names import STRATEGIES, StrategyName
from sweep.presets import smoke
from sweep.stages import strategies, work
from sweep.stages.work import Pace

PACE = Pace(stage1=0.08, stage2=0.3, team=15.0, start=8.0, point=17.0, reading=6.0, places=2)


@pytest.mark.parametrize("name", STRATEGIES)
def test_work_at_a_measured_pace_takes_the_seconds_that_were_measured(name: StrategyName) -> None:
    strategy = strategies.STRATEGIES[name]
    config = strategy.split_budget(smoke())
    costs = work.costs(config, PACE)
    first, *_, second = strategy.shared_nodes(config) or [
        strategy.base_node(config, config.search.lambdas[0]),
        *strategy.trial_nodes(config),
    ]
    # Where trials train, each place does a share of the work.
    places = 1 if strategy.conditions else PACE.places
    image = PACE.stage1 / config.stage1.batch_size / places
    seconds = config.stage1.steps * PACE.stage1 + config.stage2.steps * PACE.stage2
    assert image * work.training([first, second], costs) == pytest.approx(seconds / places)
    assert image * work.measuring(config, costs) == pytest.approx(PACE.point / PACE.places)
