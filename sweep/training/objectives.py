"""What a stage minimizes, batch by batch."""

from collections.abc import Callable

from datagen.dataset import Batch
from models.codecs.base import CodecOutput
from models.codecs.conditioning import Plane
from models.losses import LossTerms, LossWeights, objective
from models.recognizers.base import FrozenRecognizer
from sweep.config import StageConfig
from sweep.training.loop import Objective


def objective_of(stage: StageConfig, plane: Plane | None, recognizer: FrozenRecognizer | None) -> Objective:
    """The objective of a plain codec at the stage's weights, or of a conditioned one at weights drawn per image."""
    return _fixed(stage, recognizer) if plane is None else _drawn(stage, plane, recognizer)


def reading_scale(stage: StageConfig, step: int) -> float:
    """The size at which the recognizer reads at a step."""
    return stage.reading_scales[step * len(stage.reading_scales) // stage.steps]


def _fixed(stage: StageConfig, recognizer: FrozenRecognizer | None) -> Objective:
    weights = LossWeights(stage.distortion_weight, stage.rate_weight, stage.ocr_weight, stage.text_weight)

    def terms(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        return _weighed(codec(batch.images), batch, weights, stage, recognizer, step)

    return terms


def _drawn(stage: StageConfig, plane: Plane, recognizer: FrozenRecognizer | None) -> Objective:
    def terms(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        condition = plane.draw(len(batch.texts), batch.images.device, with_ocr=recognizer is not None)
        weights = LossWeights(stage.distortion_weight, *condition, stage.text_weight)
        return _weighed(codec(batch.images, condition), batch, weights, stage, recognizer, step)

    return terms


def _weighed(
    output: CodecOutput,
    batch: Batch,
    weights: LossWeights,
    stage: StageConfig,
    recognizer: FrozenRecognizer | None,
    step: int,
) -> LossTerms:
    scale = reading_scale(stage, step)
    return objective(output, batch.images, batch.texts, recognizer, weights, scale, batch.clean)
