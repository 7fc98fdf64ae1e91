"""The four strategies: where a trial's codec comes from, and all that follows from that."""

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

from sweep.config import StageConfig, SweepConfig
from sweep.errors import SweepError
from sweep.names import StrategyName
from sweep.stages import tree
from sweep.stages.tree import Node, Origins


class Strategy(ABC):
    """What a strategy decides; where it says nothing else, each trial trains a stage 2 of its own."""

    name: ClassVar[StrategyName]
    conditions: ClassVar[bool] = False
    """Whether all points are folded out of one conditioned codec."""
    continues: ClassVar[bool] = False
    """Whether a trial starts where the nearest finished one ended."""
    lists_lambdas: ClassVar[bool] = False
    """Whether trials have the lambdas of the sweep's list alone, not all between the ends."""
    stops_early: ClassVar[bool] = True
    """Whether a trial that falls far behind the front may stop."""
    polishes: ClassVar[bool] = False
    """Whether a trial may train on at its own point alone."""
    stands_alone: ClassVar[bool] = False
    """Whether no trial starts where the training of a base point ends."""
    varies: ClassVar[bool] = False
    """Whether settings of stage 2 may differ from trial to trial, for each trains by itself."""

    def check(self, config: SweepConfig) -> None:
        """Nothing, if this strategy can do what the configuration asks for.

        Raises:
            SweepError: it cannot.
        """
        if config.polish_steps and not self.polishes:
            able = " or ".join(strategy.name for strategy in STRATEGIES.values() if strategy.polishes)
            raise SweepError(
                f"--polish-steps {config.polish_steps}: 0 or more, and more than 0 with --strategy {able} alone"
            )
        if config.search.vary and not self.varies:
            able = " or ".join(strategy.name for strategy in STRATEGIES.values() if strategy.varies)
            raise SweepError(f"--vary needs trials that train by themselves: --strategy {able}")

    @abstractmethod
    def split_budget(self, config: SweepConfig) -> SweepConfig:
        """The configuration for this strategy, with as many images in all, split over the strategy's trainings.

        Args:
            config: a preset, whose steps are those of one codec for all points.
        """

    @abstractmethod
    def base_node(self, config: SweepConfig, rate_weight: float) -> Node:
        """Rate and distortion at one lambda (TFIC, section III-B)."""

    @abstractmethod
    def trial_node(self, config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
        """Rate and OCR loss at one (lambda, beta).

        Args:
            origins: the trials that it continues, each from the one before.
        """

    def shared_nodes(self, config: SweepConfig) -> list[Node]:
        """What every point starts from, in order of training."""
        del config
        return []

    def trial_nodes(self, config: SweepConfig) -> list[Node]:
        """The training that is a trial's own, of one like others."""
        return [self.trial_node(config, config.search.lambdas[0], config.search.betas[0])]

    def trials_train(self, config: SweepConfig) -> bool:
        """Whether a trial has training of its own, or is folded and measured alone."""
        del config
        return True

    def roots(self, config: SweepConfig) -> list[Node]:
        """The nodes without a parent, where training starts."""
        ends = (self.base_node(config, rate_weight) for rate_weight in config.search.lambdas)
        return [*dict.fromkeys([end, *end.ancestors][-1] for end in ends)]


class Conditional(Strategy):
    """One codec, conditioned on (lambda, beta), is trained through both stages and folded at each point."""

    name = "conditional"
    conditions = True
    stops_early = False
    polishes = True

    def split_budget(self, config: SweepConfig) -> SweepConfig:
        """The preset as it is."""
        return replace(config, strategy=self.name)

    def shared_nodes(self, config: SweepConfig) -> list[Node]:
        """The two stages of the conditioned codec."""
        return [tree.conditioned1(config), tree.conditioned2(config)]

    def base_node(self, config: SweepConfig, rate_weight: float) -> Node:
        """A fold of the conditioned stage 1."""
        return tree.folded(tree.conditioned1(config), rate_weight, 0.0)

    def trial_node(self, config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
        """A fold of the conditioned stage 2, polished if the sweep is to."""
        del origins
        return tree.folded(tree.conditioned2(config), rate_weight, ocr_weight, config.polish_steps)

    def trials_train(self, config: SweepConfig) -> bool:
        """Whether folds are polished."""
        return config.polish_steps > 0


class Shared(Strategy):
    """A stage 1 for each lambda of the sweep's list, a stage 2 for each trial."""

    name = "shared"
    lists_lambdas = True
    varies = True

    def split_budget(self, config: SweepConfig) -> SweepConfig:
        """Stage 1 by lambdas, stage 2 by trials."""
        return _split(config, self.name, len(config.search.lambdas))

    def base_node(self, config: SweepConfig, rate_weight: float) -> Node:
        """A stage 1 of its own."""
        return tree.stage1(config, rate_weight)

    def trial_node(self, config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
        """A stage 2 from the stage 1 of its lambda."""
        del origins
        return tree.stage2(config, self.base_node(config, rate_weight), rate_weight, ocr_weight)


class Continued(Strategy):
    """Each stage 1 starts from its neighbor's, each stage 2 where the nearest finished trial ended."""

    name = "continued"
    continues = True

    def split_budget(self, config: SweepConfig) -> SweepConfig:
        """Stage 1 by lambdas, stage 2 by trials."""
        return _split(config, self.name, len(config.search.lambdas))

    def base_node(self, config: SweepConfig, rate_weight: float) -> Node:
        """A stage 1 that starts from the next lambda towards the middle of the sweep's list."""
        node = tree.stage1(config, rate_weight)
        index, middle = config.search.lambdas.index(rate_weight), len(config.search.lambdas) // 2
        if index == middle:
            return node
        inward = config.search.lambdas[index + (1 if index < middle else -1)]
        return replace(node, parent=self.base_node(config, inward))

    def trial_node(self, config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
        """A stage 2 from the last of its origins, the first of which comes from the stage 1 of the nearest lambda."""
        path = (*origins, (rate_weight, ocr_weight))
        first = path[0][0]
        node = self.base_node(config, min(config.search.lambdas, key=lambda each: abs(math.log(each / first))))
        for weights in path:
            node = tree.stage2(config, node, *weights)
        return node


class Independent(Strategy):
    """Both stages for each trial from nothing, as the paper trains."""

    name = "independent"
    stands_alone = True
    varies = True

    def split_budget(self, config: SweepConfig) -> SweepConfig:
        """Stage 1 by trials and the lambdas of the base curve, stage 2 by trials."""
        return _split(config, self.name, config.search.budget + len(config.search.lambdas))

    def base_node(self, config: SweepConfig, rate_weight: float) -> Node:
        """A stage 1 of its own."""
        return tree.stage1(config, rate_weight)

    def trial_node(self, config: SweepConfig, rate_weight: float, ocr_weight: float, origins: Origins = ()) -> Node:
        """A stage 2 from a stage 1 that no other trial has."""
        del origins
        first = tree.stage1(config, rate_weight)
        # Stage 1 does not look at beta, which here makes its key the trial's own.
        own = replace(first, stage=replace(first.stage, ocr_weight=ocr_weight))
        return tree.stage2(config, own, rate_weight, ocr_weight)

    def trial_nodes(self, config: SweepConfig) -> list[Node]:
        """Both stages."""
        [second] = super().trial_nodes(config)
        return [*second.ancestors, second]


def _split(config: SweepConfig, strategy: StrategyName, stage1_trainings: int) -> SweepConfig:
    return replace(
        config,
        strategy=strategy,
        stage1=_part(config.stage1, stage1_trainings),
        stage2=_part(config.stage2, config.search.budget),
    )


def _part(stage: StageConfig, parts: int) -> StageConfig:
    """One of so many equal parts of a stage's images, in batches of at most 8: short training needs updates more."""
    batch_size = min(stage.batch_size, 8)
    return replace(stage, batch_size=batch_size, steps=max(1, stage.steps * stage.batch_size // (batch_size * parts)))


CONDITIONAL, SHARED, CONTINUED, INDEPENDENT = Conditional(), Shared(), Continued(), Independent()
STRATEGIES: dict[StrategyName, Strategy] = {
    strategy.name: strategy for strategy in (CONDITIONAL, SHARED, CONTINUED, INDEPENDENT)
}


def of(config: SweepConfig) -> Strategy:
    """The strategy that a configuration names."""
    return STRATEGIES[config.strategy]
