"""A sweep's whole configuration; equal configurations train equal codecs."""

from dataclasses import dataclass

from datagen.spec import DatasetSpec
from models.codecs import CODECS
from models.recognizers import RECOGNIZERS
from sweep.errors import SweepError


@dataclass(frozen=True, kw_only=True, slots=True)
class StageConfig:
    """One call of the training loop. The objective is L = alpha * D + lambda * R + beta * L_ocr."""

    steps: int
    """Optimizer updates, not epochs."""
    batch_size: int = 8
    """Images an update."""
    learning_rate: float = 1e-3
    """Peak of a linear warm-up and cosine decay to zero."""
    distortion_weight: float = 1.0
    """alpha, on the mean squared error of pixels from 0 to 1."""
    rate_weight: float = 0.0
    """lambda, on bits per pixel; set by each point."""
    ocr_weight: float = 0.0
    """beta, on nats per character; set by each point of stage 2."""
    aux_learning_rate: float = 1e-3
    """Of the entropy bottleneck's quantiles, which have a loss of their own."""
    clip_norm: float = 1.0
    """Largest gradient norm of L / lambda."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size) < 1:
            raise SweepError(f"a stage needs a step and an image: steps={self.steps}, batch_size={self.batch_size}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepConfig:
    """What a sweep trains and measures. Only `budget` may grow when it is resumed."""

    data: DatasetSpec
    codec: str = "small"
    recognizer: str = "english_g2"
    stage1: StageConfig
    stage2: StageConfig
    lambdas: tuple[float, ...]
    """The grid of rate weights, falling: lowest rate first. Each has one stage 1 that its trials share."""
    betas: tuple[float, float]
    """Range of OCR weights, searched on a log scale."""
    budget: int = 64
    """Trials of stage 2."""
    val_images: int = 96
    """Of the validation split; what a trial tells the search is measured on them."""
    report_seconds: float = 10.0
    """Between two reports of a training stage."""
    save_seconds: float = 60.0
    """Between two checkpoints of a training stage: the most that a killed worker loses."""
    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise SweepError(f"--budget {self.budget} is below 1; a sweep needs at least one trial")
        if self.codec not in CODECS:
            raise SweepError(f"no codec is called {self.codec!r}; choose one of {', '.join(CODECS)}")
        if self.recognizer not in RECOGNIZERS:
            raise SweepError(f"no recognizer is called {self.recognizer!r}; choose one of {', '.join(RECOGNIZERS)}")
        if list(self.lambdas) != sorted(set(self.lambdas), reverse=True) or min(self.lambdas, default=0) <= 0:
            raise SweepError(f"lambdas={self.lambdas} must be positive and falling")
        if not 0 < self.betas[0] <= self.betas[1]:
            raise SweepError(f"betas={self.betas} must be a positive rising pair")
