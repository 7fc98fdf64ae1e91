"""Sweeps by name: each a function that returns one."""

from collections.abc import Callable
from dataclasses import replace

from datagen import spec
from models import shipped
from models.files import pretrained
from models.weights import WeightsFile
from sweep.config import ResourceConfig, SearchConfig, StageConfig, SweepConfig
from sweep.names import PresetName, Target

PIXEL_SCALE = 255**2
FEW = 8_000
"""Images to draw for the short stages that fit a dial to them."""
STAGE1_PARTS, STAGE2_PARTS = 30, 8
"""One part in so many of the steps of each stage does so."""
EPOCHS = 8
"""How often a short stage sees each image, at most."""
PICTURE = 0.2
"""Weight in stage 2 of the picture that the decoder is to give back."""


def rate_weights(*compressai_weights: float) -> tuple[float, ...]:
    """Our lambda of CompressAI's weight w: w * 255² * MSE + R is (MSE + lambda * R) / lambda."""
    return tuple(1 / (PIXEL_SCALE * weight) for weight in compressai_weights)


def paper() -> SweepConfig:
    """The paper's data and objective for a GPU: 20,000 images, long stages, beta around its 0.1 (TFIC, III-B, IV-A)."""
    return SweepConfig(
        data=spec.paper(),
        codec="mbt2018-mean",
        stage1=StageConfig(steps=200_000, batch_size=16, learning_rate=3e-4),
        stage2=StageConfig(steps=200_000, batch_size=16, learning_rate=1e-4, distortion_weight=0.0),
        search=SearchConfig(
            lambdas=rate_weights(0.0001, 0.0002, 0.0004, 0.0009, 0.0018, 0.0035, 0.0067, 0.013),
            betas=(1e-3, 1.0),
            val_images=600,
        ),
        resources=ResourceConfig(cpus_per_trial=4, gpus_per_trial=1.0),
    )


def cpu() -> SweepConfig:
    """Two cores: a front of small images with the small codec, from fresh weights."""
    return SweepConfig(
        data=spec.cpu(),
        stage1=StageConfig(steps=12_000, batch_size=32, learning_rate=2e-3, distortion_weight=0.0, text_weight=1.0),
        stage2=StageConfig(
            steps=9_000,
            batch_size=16,
            learning_rate=5e-4,
            distortion_weight=0.0,
            text_weight=PICTURE,
            reading_scales=(0.75, 0.75, 1.0),
            legibility=0.7,
        ),
        search=SearchConfig(lambdas=rate_weights(0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.0032), betas=(5e-4, 0.015)),
    )


def smoke() -> SweepConfig:
    """Two minutes: every part at work, on too little training to be worth anything."""
    return replace(
        cpu(),
        data=spec.smoke(),
        stage1=replace(cpu().stage1, steps=80, batch_size=8),
        stage2=replace(cpu().stage2, steps=20, batch_size=8),
        search=replace(cpu().search, lambdas=rate_weights(0.0004, 0.0016), budget=2, val_images=24),
        baselines="few",
        resources=ResourceConfig(report_seconds=2.0),
    )


def started(config: SweepConfig) -> SweepConfig:
    """The sweep from weights that exist: those that it names, or the dial that comes along if the sweep trains such a
    codec for the same.

    A dial knows how text is sent: short stages on few images fit it to them, shorter ones on fewer, for it would learn
    those by heart. A checkpoint knows images: half of stage 1 learns lines of text and the range of rates.
    """
    if config.init is None and (config.codec, config.target) != (shipped.CODEC, shipped.TARGET):
        return config
    init = config.init or WeightsFile.of(shipped.DIAL)
    if not pretrained.holds_dial(init):
        return replace(config, init=init, stage1=_part(config.stage1, 2))
    data = replace(config.data, train=min(config.data.train, FEW))
    stage1, stage2 = (
        _at_most(_part(stage, parts), EPOCHS * data.train)
        for stage, parts in ((config.stage1, STAGE1_PARTS), (config.stage2, STAGE2_PARTS))
    )
    return replace(config, init=init, data=data, stage1=stage1, stage2=stage2)


def _at_most(stage: StageConfig, images: int) -> StageConfig:
    return replace(stage, steps=min(stage.steps, max(1, images // stage.batch_size)))


def _part(stage: StageConfig, parts: int) -> StageConfig:
    return replace(stage, steps=max(1, stage.steps // parts))


def aimed(config: SweepConfig, target: Target) -> SweepConfig:
    """The sweep with another picture for the decoder to give back, in both stages.

    Whatever the picture, its weight stays; the paper's stage 2 asks for none.
    """
    return replace(config, stage1=_aimed(config.stage1, target), stage2=_aimed(config.stage2, target))


def _aimed(stage: StageConfig, target: Target) -> StageConfig:
    weight = stage.distortion_weight + stage.text_weight
    if target == "image":
        return replace(stage, distortion_weight=weight, text_weight=0.0)
    return replace(stage, distortion_weight=0.0, text_weight=weight or PICTURE)


PRESETS: dict[PresetName, Callable[[], SweepConfig]] = {"paper": paper, "cpu": cpu, "smoke": smoke}


def default(gpus: int) -> PresetName:
    """`paper` where training may have so many GPUs, if there are any, else `cpu`."""
    return "paper" if gpus else "cpu"
