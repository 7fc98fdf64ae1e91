"""A sweep's whole configuration; equal configurations train equal codecs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from datagen.spec import ImportSpec, Spec
from models.codecs.registry import CODECS
from models.errors import ModelError
from models.files.model import Size
from models.recognizers import ensemble
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.registry import ENGLISH_G2
from models.weights import WeightsFile
from sweep.errors import SweepError
from sweep.names import BaselineSet, Labels, SamplerName, Setting, StrategyName, Target

NON_ADAPTIVE: tuple[SamplerName, ...] = ("qmc", "random", "grid")
"""Samplers that do not look at what was measured."""


def _check_above_0(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise SweepError(f"{name}={value} must be a number above 0")


def _check_at_least(least: int, **values: float) -> None:
    for name, value in values.items():
        if not least <= value < math.inf:
            raise SweepError(f"{name}={value} must be a number, {least} or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class StageConfig:
    """One call of the training loop. The objective is L = alpha * D + gamma * D_text + lambda * R + beta * L_ocr."""

    steps: int
    """Optimizer updates, not epochs."""
    batch_size: int = 8
    """Images an update."""
    learning_rate: float = 1e-3
    """Peak of a linear warm-up and cosine decay to zero."""
    distortion_weight: float = 1.0
    """alpha, on the mean squared error of pixels from 0 to 1."""
    text_weight: float = 0.0
    """gamma, on the mean squared error from the clean rendering: black text on white. 0 in the paper."""
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
        weights = ("distortion_weight", "text_weight", "rate_weight", "ocr_weight")
        _check_at_least(0, **{name: getattr(self, name) for name in weights})
        if not 0 <= self.legibility <= 1:
            raise SweepError(f"legibility={self.legibility} must be an accuracy, 0 to 1")
        if not self.reading_scales or not all(0 < scale <= 1 for scale in self.reading_scales):
            raise SweepError(f"reading_scales={self.reading_scales} must be shares of the recognizer's size, 0 to 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchConfig:
    """Which points a search measures. When a sweep is resumed, `budget` and `seeds` may change; all else stays."""

    lambdas: tuple[float, ...]
    """Rate weights of the base curve, falling: lowest rate first. Trials explore the range between them; these alone
    where the strategy shares stage 1 by lambda."""
    betas: tuple[float, float]
    """Range of OCR weights, searched on a log scale."""
    sampler: SamplerName = "tpe"
    max_bpp: float | None = None
    """Most bits per pixel that are of interest to the search."""
    min_accuracy: float | None = None
    """Least accuracy that is of interest to the search, 0 to 1."""
    min_psnr: float | None = None
    """Least PSNR that is of interest to the search, in dB."""
    vary: tuple[tuple[Setting, float, float], ...] = ()
    """Settings of stage 2 that are searched too, each between two values, on a log scale."""
    early_stopping: bool = True
    """Whether trials that train stop where they fall far behind the front."""
    budget: int = 64
    """Trials."""
    seeds: int = 1
    """Trainings of the front, each from a seed of its own, which tell how much chance is in a point."""
    val_images: int = 240
    """Images of the validation split on which a trial is measured for the search."""

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise SweepError(f"--budget {self.budget} is below 1; a sweep needs at least one trial")
        _check_at_least(1, val_images=self.val_images, seeds=self.seeds)
        self._check_ranges()
        self._check_constraints()
        self._check_varied()

    def _check_ranges(self) -> None:
        if list(self.lambdas) != sorted(set(self.lambdas), reverse=True) or not self.lambdas:
            raise SweepError(f"lambdas={self.lambdas} must be positive and falling")
        _check_above_0(highest_lambda=self.lambdas[0], lowest_lambda=self.lambdas[-1])
        low, high = self.betas
        if not 0 < low <= high < math.inf:
            raise SweepError(f"--betas {low:g} {high:g} must be a positive rising pair")

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceConfig:
    """How a sweep uses its machines, not what it trains: a resumed sweep may have others."""

    report_seconds: float = 10.0
    """Between two reports of a training stage."""
    save_seconds: float = 60.0
    """Between two checkpoints of a training stage: the most that a killed worker loses."""
    cpus_per_trial: int = 1
    """Cores."""
    gpus_per_trial: float = 0.0
    """GPUs, or a share of one."""
    shares_gpus: bool = True
    """Whether a trial takes less of a GPU where the memory holds several of them."""

    def __post_init__(self) -> None:
        _check_at_least(1, cpus_per_trial=self.cpus_per_trial)
        _check_at_least(0, report_seconds=self.report_seconds, save_seconds=self.save_seconds)
        _check_at_least(0, gpus_per_trial=self.gpus_per_trial)


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepConfig:
    """What a sweep trains and measures. What only some strategies allow is checked by `Strategy.check`."""

    data: Spec
    codec: str = "small"
    recognizers: tuple[RecognizerConfig, ...] = (RecognizerConfig(ENGLISH_G2),)
    """They take turns by batch; the accuracy of the first one guides the search."""
    init: WeightsFile | None = None
    """Checkpoint that stage 1 starts from, instead of fresh weights."""
    strategy: StrategyName = "conditional"
    labels: Labels = "truth"
    stage1: StageConfig
    stage2: StageConfig
    polish_steps: int = 0
    """Updates of stage 2 at its own point that a trial of the conditional strategy adds."""
    search: SearchConfig
    baselines: BaselineSet = "all"
    resources: ResourceConfig = ResourceConfig()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise SweepError(f"no codec is called {self.codec!r}; choose one of {', '.join(CODECS)}")
        try:
            ensemble.identity(self.recognizers)
        except ModelError as error:
            raise SweepError(str(error)) from error
        if isinstance(self.data, ImportSpec) and self.data.unlabeled and self.labels != "pseudo":
            raise SweepError(f"{self.data.unlabeled} images have no text; give --labels pseudo")
        if self.polish_steps < 0:
            raise SweepError(f"--polish-steps {self.polish_steps}: 0 or more")
        _check_at_least(0, seed=self.seed)

    @property
    def target(self) -> Target:
        """What the decoder is to give back."""
        return "text" if self.stage2.text_weight else "image"

    @property
    def recognizer_identity(self) -> str:
        """Names, checksums and shares: equal ones teach alike."""
        return ensemble.identity(self.recognizers)

    @property
    def canvas(self) -> Size:
        """The size of the images, which files of this sweep's codecs do not repeat."""
        return Size(self.data.width, self.data.height)


def override(config: SweepConfig, **values: object) -> SweepConfig:
    """The configuration with other values of fields, those in `search` and `resources` named without the section.

    Raises:
        SweepError: a value is impossible.
        TypeError: there is no such field.
    """
    search, resources = _taken(values, SearchConfig), _taken(values, ResourceConfig)
    return replace(
        config, search=replace(config.search, **search), resources=replace(config.resources, **resources), **values
    )


def sectioned(content: Mapping[str, object]) -> dict[str, object]:
    """A configuration from a file with its fields in sections: releases before there were sections wrote them flat."""
    values = dict(content)
    sections = {"search": _taken(values, SearchConfig), "resources": _taken(values, ResourceConfig)}
    return {name: inside for name, inside in sections.items() if inside} | values


def fixed(config: SweepConfig) -> dict[str, object]:
    """Values that a resumed sweep keeps, named as `override` does: all but the budget, seeds and resources."""
    own = {name: getattr(config, name) for name in _names(SweepConfig) if name not in ("search", "resources")}
    return own | {
        name: getattr(config.search, name) for name in _names(SearchConfig) if name not in ("budget", "seeds")
    }


def _taken(values: dict[str, object], section: type[SearchConfig | ResourceConfig]) -> dict[str, object]:
    """Takes the fields of a section out of the values."""
    return {name: values.pop(name) for name in _names(section) if name in values}


def _names(section: type[SweepConfig | SearchConfig | ResourceConfig]) -> list[str]:
    return [field.name for field in fields(section)]
