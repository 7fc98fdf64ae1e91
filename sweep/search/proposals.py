"""What a proposal says, which come first, and how far a point is from what the search is constrained to."""

import math
import random
from collections.abc import Container
from typing import Any

from sweep.config import NON_ADAPTIVE, SweepConfig, override
from sweep.results.point import Identity, ValidationMetrics
from sweep.stages import strategies

Params = dict[str, Any]
"""Optuna's parameters of a proposal, by name: lambda or lambda_index, beta and the settings."""
Weights = tuple[float, float]
"""lambda and beta."""
PointKey = tuple[float, ...]
"""What tells a proposal from others: lambda, beta and the settings."""
ORIGINS = "origins"
"""Names, beside the parameters and in the journal, the trials that a proposal comes from."""
FIELDS = {"steps": "stage2_steps"}
"""Fields of a point's identity that are not called as the setting is."""
GENERATIONS = 4
"""Generations of trials, at least, in a search that learns."""
CONSTRAINED: dict[str, tuple[str, int]] = {
    "max_bpp": ("bpp", 1),
    "min_accuracy": ("accuracy", -1),
    "min_psnr": ("psnr_db", -1),
}
"""The figure that each constraint bounds, and whether more (1) or less (-1) violates the constraint."""


def varied(params: Params, config: SweepConfig) -> tuple[tuple[str, float], ...]:
    """The settings of stage 2 in a proposal."""
    return tuple((name, params[name]) for name, _, _ in config.search.vary)


def weights(params: Params, config: SweepConfig) -> Weights:
    """Lambda and beta of a proposal."""
    if "lambda" in params:
        return params["lambda"], params["beta"]
    index: int = params["lambda_index"]
    return config.search.lambdas[index], params["beta"]


def point_key(params: Params, config: SweepConfig) -> PointKey:
    """What tells a proposal from others."""
    return (*weights(params, config), *(value for _, value in varied(params, config)))


def varied_by(trial: Identity, config: SweepConfig) -> tuple[tuple[str, float], ...]:
    """The settings of stage 2 of a trial in the table."""
    return tuple((name, getattr(trial, FIELDS.get(name, name))) for name, _, _ in config.search.vary)


def trial_key(trial: Identity, config: SweepConfig) -> PointKey:
    """What tells a trial in the table from others; equal to the key of the trial's proposal."""
    assert trial.rate_weight is not None
    assert trial.ocr_weight is not None, "a trial has both weights"
    return (trial.rate_weight, trial.ocr_weight, *(value for _, value in varied_by(trial, config)))


def cap_budget(config: SweepConfig) -> SweepConfig:
    """The configuration with a budget of no more points than there are."""
    return override(config, budget=int(min(config.search.budget, count(config))))


def count(config: SweepConfig) -> float:
    """How many different points there are: those of a grid, or of a plane in which everything has a few values."""
    if config.search.sampler == "grid":
        return len(first_points(config))
    listed = strategies.of(config).lists_lambdas
    lambdas = len(config.search.lambdas) if listed else _values(config.search.lambdas[-1], config.search.lambdas[0])
    settings = (
        round(high) - round(low) + 1 if name == "steps" else _values(low, high)
        for name, low, high in config.search.vary
    )
    return math.prod((lambdas, _values(*config.search.betas), *settings))


def _values(low: float, high: float) -> float:
    """How many values lie in a range: one, or endlessly many."""
    return 1 if low == high else math.inf


def unseen(config: SweepConfig, known: Container[PointKey], seed: int) -> Params:
    """A random point that is not known, log-uniform where there are any; there must be one."""
    draw = random.Random(seed)
    while point_key(point := _random(config, draw), config) in known:
        pass
    return point


def _random(config: SweepConfig, draw: random.Random) -> Params:
    point = {"beta": _between(*config.search.betas, draw.random())}
    for name, low, high in config.search.vary:
        value = _between(low, high, draw.random())
        point[name] = round(value) if name == "steps" else value
    if strategies.of(config).lists_lambdas:
        return {"lambda_index": draw.randrange(len(config.search.lambdas)), **point}
    return {"lambda": _between(config.search.lambdas[-1], config.search.lambdas[0], draw.random()), **point}


def first_points(config: SweepConfig) -> list[Params]:
    """One point for each lambda before the search starts, their betas spread evenly over the log range; or the grid."""
    low, high = config.search.betas
    if config.search.sampler == "grid":
        count = max(1, config.search.budget // len(config.search.lambdas)) if low < high else 1
        indexes = range(len(config.search.lambdas))
        return [_point(index, beta, config) for beta in spread(low, high, count) for index in indexes]
    # The golden ratio's multiples spread evenly, and neighbors lie far apart.
    shares = [(0.5 + index * 0.6180339887) % 1 for index in range(len(config.search.lambdas))]
    return [_point(index, _between(low, high, share), config) for index, share in enumerate(shares)]


def at_a_time(config: SweepConfig, trials: int, places: int) -> int:
    """How many of the trials start at once: a search that learns from what it finds does not start most of them."""
    if config.search.sampler in NON_ADAPTIVE:
        return places
    return min(places, max(len(config.search.lambdas), trials // GENERATIONS))


def spread(low: float, high: float, count: int) -> list[float]:
    """Values at equal ratios, from low to high; one alone lies in the middle."""
    shares = [index / (count - 1) for index in range(count)] if count > 1 else [0.5]
    return [_between(low, high, share) for share in shares]


def _between(low: float, high: float, share: float) -> float:
    """The value at a share of the log range; never outside it by rounding."""
    return min(max(low, low * (high / low) ** share), high)


def _point(index: int, beta: float, config: SweepConfig) -> Params:
    """Optuna's parameters of lambdas[index] and beta."""
    if strategies.of(config).lists_lambdas:
        return {"lambda_index": index, "beta": beta}
    return {"lambda": config.search.lambdas[index], "beta": beta}


def violations(constraints: dict[str, float], reached: ValidationMetrics) -> dict[str, float]:
    """By how much a point violates each constraint; 0 or less where the point meets one."""
    found: dict[str, float] = {}
    for constraint, bound in constraints.items():
        name, sign = CONSTRAINED[constraint]
        if (value := getattr(reached, name)) is not None:
            found[constraint] = sign * (value - bound)
    return found
