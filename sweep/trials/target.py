"""Which point of a sweep: what names it in the table, and the training that it needs."""

from dataclasses import dataclass, replace
from typing import Literal

from sweep.config import SweepConfig
from sweep.results.point import Identity
from sweep.search import proposals
from sweep.stages import strategies
from sweep.stages.tree import Node, Origins


@dataclass(frozen=True)
class Target:
    """Which point: the images as they are, or a codec after stage 1 (`base`) or 2 (`tfic`)."""

    kind: Literal["uncompressed", "base", "tfic"]
    rate_weight: float | None = None
    ocr_weight: float | None = None
    origins: Origins = ()
    """Trials that a trial of the strategy `continued` comes from."""
    varied: tuple[tuple[str, float], ...] = ()
    """Settings of the point's stage 2, in place of the sweep's."""
    seed: int | None = None
    """Seed of the point's training where it repeats another point's; None: the sweep's."""

    @classmethod
    def of(cls, trial: Identity, config: SweepConfig, origins: Origins) -> "Target":
        """The target of a trial in the table."""
        varied = proposals.varied_by(trial, config)
        seed = None if trial.seed == config.seed else trial.seed
        return cls("tfic", trial.rate_weight, trial.ocr_weight, origins, varied, seed)

    def node(self, config: SweepConfig) -> Node | None:
        """The training that the point needs, if any."""
        config = self._own(config)
        match self:
            case Target("base", float(rate_weight), None):
                return strategies.of(config).base_node(config, rate_weight)
            case Target("tfic", float(rate_weight), float(ocr_weight)):
                return strategies.of(config).trial_node(config, rate_weight, ocr_weight, self.origins)
            case _:
                return None

    def identity(self, config: SweepConfig) -> Identity:
        """Names the point; a trained point has the key of its node as its id."""
        config = self._own(config)
        node = self.node(config)
        if node is None:
            return Identity(self.kind, self.kind, seed=config.seed)
        return Identity(
            point_id=node.key,
            kind=self.kind,
            codec=config.codec,
            rate_weight=self.rate_weight,
            ocr_weight=self.ocr_weight or 0.0,
            distortion_weight=node.stage.distortion_weight,
            text_weight=node.stage.text_weight,
            learning_rate=node.stage.learning_rate,
            seed=config.seed,
            stage1_steps=config.stage1.steps,
            stage2_steps=config.stage2.steps + config.polish_steps if self.kind == "tfic" else 0,
        )

    def _own(self, config: SweepConfig) -> SweepConfig:
        """The sweep's configuration with the point's settings and seed."""
        seed = config.seed if self.seed is None else self.seed
        return replace(config, stage2=replace(config.stage2, **dict(self.varied)), seed=seed)
