"""The ways to spend a budget of training that `strategies.py` compares."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sweep import presets
from sweep.config import SweepConfig, override
from sweep.stages.strategies import CONTINUED, INDEPENDENT, SHARED


class Case(NamedTuple):
    """A way to spend a share of the training."""

    share: float
    color: str
    configured: Callable[[SweepConfig], SweepConfig] | None
    """None: without this platform's sweep."""
    label: str | None = None
    """None: its name."""


def _in_small_batches(config: SweepConfig) -> SweepConfig:
    """As the separate trainings have them: what is so short needs updates more than it needs images a second."""
    stages = {name: getattr(config, name) for name in ("stage1", "stage2")}
    cut = {name: replace(it, batch_size=8, steps=it.steps * it.batch_size // 8) for name, it in stages.items()}
    return replace(config, **cut)


def _weighted_as_the_preset(config: SweepConfig) -> SweepConfig:
    cpu = presets.aimed(presets.cpu(), "image")
    stage2 = replace(config.stage2, distortion_weight=cpu.stage2.distortion_weight)
    return override(config, betas=cpu.search.betas, stage2=stage2)


def _polished(config: SweepConfig) -> SweepConfig:
    """A third of stage 2 goes to the trials, each at its own point."""
    steps = config.stage2.steps // 3
    stage2 = replace(config.stage2, steps=config.stage2.steps - steps)
    return replace(config, stage2=stage2, polish_steps=max(1, steps // config.search.budget))


CASES = {
    "brief": Case(1 / 20, "#f4a6a0", _in_small_batches, "conditional, a fifth of the training"),
    "half": Case(1 / 8, "#e5626a", _in_small_batches, "conditional, half of the training"),
    "conditional": Case(1 / 4, "#c1121f", _in_small_batches),
    "preset": Case(
        1 / 4,
        "#7b2d26",
        lambda config: _in_small_batches(_weighted_as_the_preset(config)),
        "conditional, weights of the preset",
    ),
    "polished": Case(1 / 4, "#e09f3e", lambda config: _polished(_in_small_batches(config))),
    "shared": Case(1 / 4, "#5fa8d3", SHARED.split_budget),
    "continued": Case(1 / 4, "#2d6a4f", CONTINUED.split_budget),
    "independent": Case(
        1.0, "#6a4c93", lambda config: override(INDEPENDENT.split_budget(config), early_stopping=False)
    ),
    "plain": Case(1.0, "#7f7f7f", None, "Ray Tune and OptunaSearch alone"),
}
