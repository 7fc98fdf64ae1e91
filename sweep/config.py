"""A sweep's whole configuration; equal configurations train equal codecs."""

import math
from dataclasses import dataclass

from datagen.spec import ImportSpec, Spec
from models.codecs.registry import CODECS
from models.errors import ModelError
from models.recognizers import ensemble
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.registry import ENGLISH_G2
from models.weights import WeightsFile
from sweep.errors import SweepError
from sweep.names import Labels, SamplerName, Setting, StrategyName

NON_ADAPTIVE: tuple[SamplerName, ...] = ("qmc", "random", "grid")
"""Samplers that do not look at what was measured."""


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
    reading_scales: tuple[float, ...] = (1.0,)
    """Sizes at which the recognizer reads, as shares of its own, one after the other for equal shares of the steps."""
    legibility: float = 0.0
    """Least accuracy at which the recognizer reads an image as it is, for stage 2 to train on it: what cannot be read
    teaches nothing about reading."""
    clip_norm: float = 1.0
    """Largest gradient norm of L / (lambda + beta)."""

    def __post_init__(self) -> None:
        if self.steps < 0 or self.batch_size < 1:
            raise SweepError(f"a stage needs an image a step: steps={self.steps}, batch_size={self.batch_size}")
        _check_above_0(learning_rate=self.learning_rate, clip_norm=self.clip_norm)
        weights = ("distortion_weight", "rate_weight", "ocr_weight")
        _check_at_least(0, **{name: getattr(self, name) for name in weights})
        if not 0 <= self.legibility <= 1:
            raise SweepError(f"legibility={self.legibility} must be an accuracy, 0 to 1")
        if not self.reading_scales or not all(0 < scale <= 1 for scale in self.reading_scales):
            raise SweepError(f"reading_scales={self.reading_scales} must be shares of the recognizer's size, 0 to 1")


RESOURCES = ("report_seconds", "save_seconds", "cpus_per_trial", "gpus_per_trial", "shares_gpus")
"""Fields that say how a sweep uses its machines, not what it trains: a resumed sweep may have others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepConfig:
    """What a sweep trains and measures. When it is resumed, `budget` may grow and `RESOURCES` may change."""

    data: Spec
    codec: str = "small"
    recognizers: tuple[RecognizerConfig, ...] = (RecognizerConfig(ENGLISH_G2),)
    """Their losses are averaged; the accuracy of the first one guides the search."""
    init: WeightsFile | None = None
    """Checkpoint that stage 1 starts from, instead of fresh weights."""
    strategy: StrategyName = "conditional"
    labels: Labels = "truth"
    stage1: StageConfig
    stage2: StageConfig
    lambdas: tuple[float, ...]
    """Rate weights of the base curve, falling: lowest rate first. Trials explore the range between them; these alone
    where the strategy shares stage 1 by lambda."""
    betas: tuple[float, float]
    """Range of OCR weights, searched on a log scale."""
    sampler: SamplerName = "tpe"
    max_bpp: float | None = None
    """Most bits per pixel that are of interest to the search."""
    min_accuracy: float | None = None
    """Least accuracy, likewise."""
    min_psnr: float | None = None
    """Least PSNR in dB, likewise."""
    vary: tuple[tuple[Setting, float, float], ...] = ()
    """Settings of stage 2 that are searched too, each between two values, on a log scale."""
    early_stopping: bool = True
    """Whether trials that train stop where they fall far behind the front."""
    polish_steps: int = 0
    """Updates of stage 2 at its own point that a trial of the conditional strategy adds."""
    budget: int = 64
    """Trials."""
    val_images: int = 96
    """Images of the validation split on which a trial is measured for the search."""
    report_seconds: float = 10.0
    """Between two reports of a training stage."""
    save_seconds: float = 60.0
    """Between two checkpoints of a training stage: the most that a killed worker loses."""
    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    shares_gpus: bool = True
    """Whether a trial takes less of a GPU where the memory holds several of them."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise SweepError(f"--budget {self.budget} is below 1; a sweep needs at least one trial")
        if self.codec not in CODECS:
            raise SweepError(f"no codec is called {self.codec!r}; choose one of {', '.join(CODECS)}")
        try:
            ensemble.identity(self.recognizers)
        except ModelError as error:
            raise SweepError(str(error)) from error
        if isinstance(self.data, ImportSpec) and self.data.unlabeled and self.labels != "pseudo":
            raise SweepError(f"{self.data.unlabeled} images have no text; give --labels pseudo")
        self._check_numbers()
        self._check_constraints()
        self._check_varied()

    def _check_numbers(self) -> None:
        if list(self.lambdas) != sorted(set(self.lambdas), reverse=True) or not self.lambdas:
            raise SweepError(f"lambdas={self.lambdas} must be positive and falling")
        _check_above_0(highest_lambda=self.lambdas[0], lowest_lambda=self.lambdas[-1])
        low, high = self.betas
        if not 0 < low <= high < math.inf:
            raise SweepError(f"--betas {low:g} {high:g} must be a positive rising pair")
        if self.polish_steps < 0 or (self.polish_steps and self.strategy != "conditional"):
            raise SweepError(
                f"--polish-steps {self.polish_steps}: 0 or more, and more than 0 with --strategy conditional alone"
            )
        _check_at_least(1, val_images=self.val_images, cpus_per_trial=self.cpus_per_trial)
        _check_at_least(0, report_seconds=self.report_seconds, save_seconds=self.save_seconds, seed=self.seed)
        _check_at_least(0, gpus_per_trial=self.gpus_per_trial)

    def _check_constraints(self) -> None:
        if self.constraints and self.sampler in NON_ADAPTIVE:
            raise SweepError(
                f"--sampler {self.sampler} does not look at what was measured; bounds need tpe, gp or nsga2"
            )
        for name, bound in self.constraints.items():
            if not 0 < bound < math.inf:
                raise SweepError(f"--{name.replace('_', '-')} {bound:g} must be a number above 0")
        if self.min_accuracy is not None and self.min_accuracy > 1:
            raise SweepError(f"--min-accuracy {self.min_accuracy:g} is above 1, at which every character is read")

    def _check_varied(self) -> None:
        if self.vary and self.strategy not in ("shared", "independent"):
            raise SweepError("--vary needs trials that train by themselves: --strategy shared or independent")
        if self.vary and self.sampler == "grid":
            raise SweepError("--sampler grid measures lambdas and betas alone; leave --vary out, or take another")
        if len({name for name, _, _ in self.vary}) < len(self.vary):
            raise SweepError(f"--vary names a setting twice: {', '.join(name for name, _, _ in self.vary)}")
        for name, low, high in self.vary:
            if not 0 < low <= high < math.inf:
                raise SweepError(f"--vary {name} {low:g} {high:g} must be a positive rising pair")
            if name == "steps" and (low % 1 or high % 1):
                raise SweepError(f"--vary steps {low:g} {high:g} must be whole numbers")

    @property
    def constraints(self) -> dict[str, float]:
        """Bounds on what is measured that the search keeps to, by their names here."""
        found = {name: getattr(self, name) for name in ("max_bpp", "min_accuracy", "min_psnr")}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def recognizer_identity(self) -> str:
        """Names, checksums and shares: equal ones teach alike."""
        return ensemble.identity(self.recognizers)


def _check_above_0(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise SweepError(f"{name}={value} must be a number above 0")


def _check_at_least(least: int, **values: float) -> None:
    for name, value in values.items():
        if not least <= value < math.inf:
            raise SweepError(f"{name}={value} must be a number, {least} or more")
