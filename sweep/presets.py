"""Sweeps by name: each a function that returns one."""

from collections.abc import Callable

import torch

from datagen import spec
from sweep.config import StageConfig, SweepConfig

PIXEL_SCALE = 255**2


def rate_weights(*compressai_weights: float) -> tuple[float, ...]:
    """Our lambda of CompressAI's weight w: w * 255² * MSE + R is (MSE + lambda * R) / lambda."""
    return tuple(1 / (PIXEL_SCALE * weight) for weight in compressai_weights)


def paper() -> SweepConfig:
    """The paper's recipe for a GPU: 20,000 images, long stages, beta around its 0.1 (TFIC, sections III-B, IV-A)."""
    return SweepConfig(
        data=spec.paper(),
        codec="mbt2018-mean",
        stage1=StageConfig(steps=40_000, batch_size=16, learning_rate=3e-4),
        stage2=StageConfig(steps=10_000, batch_size=16, learning_rate=1e-4, distortion_weight=0.0),
        lambdas=rate_weights(0.0001, 0.0002, 0.0004, 0.0009, 0.0018, 0.0035, 0.0067, 0.013),
        betas=(1e-3, 1.0),
        val_images=600,
        cpus_per_trial=4,
        gpus_per_trial=1.0,
    )


def cpu() -> SweepConfig:
    """Two cores, within the hour: a real front of small images with the small codec."""
    return SweepConfig(
        data=spec.cpu(),
        stage1=StageConfig(steps=2_000),
        stage2=StageConfig(steps=280, learning_rate=1.5e-4, distortion_weight=0.1),
        lambdas=rate_weights(0.0001, 0.0002, 0.0004, 0.0008, 0.0016),
        betas=(1e-3, 0.2),
    )


def smoke() -> SweepConfig:
    """Two minutes: every part at work, on too little training to be worth anything."""
    return SweepConfig(
        data=spec.smoke(),
        stage1=StageConfig(steps=40),
        stage2=StageConfig(steps=10, learning_rate=1.5e-4, distortion_weight=0.1),
        lambdas=rate_weights(0.0004, 0.0016),
        betas=(1e-3, 0.2),
        budget=2,
        val_images=24,
        report_seconds=2.0,
    )


PRESETS: dict[str, Callable[[], SweepConfig]] = {"paper": paper, "cpu": cpu, "smoke": smoke}


def default() -> str:
    """`paper` where a GPU is visible, else `cpu`."""
    return "paper" if torch.cuda.is_available() else "cpu"
