"""Which point of a sweep: what names it in the table, and the training that it needs."""

from dataclasses import dataclass, replace
from typing import Literal

from sweep.config import SweepConfig
from sweep.results.points import Row
from sweep.search import proposals
from sweep.stages import strategies
from sweep.stages.tree import Node, Origins
from sweep.trials.classical import ClassicalCodec

Kind = Literal["uncompressed", "classical", "base", "tfic"]


@dataclass(frozen=True)
class Target:
    """Which point: the images as they are, a codec without training, one after stage 1 (`base`) or 2 (`tfic`)."""

    kind: Kind
    rate_weight: float | None = None
    ocr_weight: float | None = None
    classical: ClassicalCodec | None = None
    origins: Origins = ()
    """Trials that a trial of the strategy `continued` comes from."""
    varied: tuple[tuple[str, float], ...] = ()
    """Settings of the point's stage 2, in place of the sweep's."""

    @classmethod
    def of(cls, row: Row, config: SweepConfig, origins: Origins) -> "Target":
        """The target of a trial in the table."""
        return cls("tfic", row["lambda"], row["beta"], origins=origins, varied=proposals.varied_by(row, config))

    def node(self, config: SweepConfig) -> Node | None:
        """The training that the point needs, if any."""
        config = self._varied(config)
        match self:
            case Target("base", float(rate_weight), None):
                return strategies.of(config).base_node(config, rate_weight)
            case Target("tfic", float(rate_weight), float(ocr_weight)):
                return strategies.of(config).trial_node(config, rate_weight, ocr_weight, self.origins)
            case _:
                return None

    def identity(self, config: SweepConfig) -> Row:
        """The columns that name the point; a trained point has the key of its node as its id."""
        config = self._varied(config)
        node = self.node(config)
        row = {"point_id": self.kind, "kind": self.kind, "seed": config.seed, "lambda": self.rate_weight}
        if self.classical is not None:
            return row | {"point_id": f"{self.classical.name}-q{self.classical.quality}", "codec": self.classical.name}
        if node is None:
            return row
        row |= {"point_id": node.key, "codec": config.codec, "stage1_steps": config.stage1.steps}
        row |= {"beta": self.ocr_weight or 0.0, "distortion_weight": node.stage.distortion_weight}
        row |= {"learning_rate": node.stage.learning_rate}
        return row | {"stage2_steps": config.stage2.steps + config.polish_steps if self.kind == "tfic" else 0}

    def _varied(self, config: SweepConfig) -> SweepConfig:
        return replace(config, stage2=replace(config.stage2, **dict(self.varied))) if self.varied else config
