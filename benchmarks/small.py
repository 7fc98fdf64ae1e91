"""What the parts of the codec `small` are worth: variants of it, each trained for as long, and read at the same rates.

python -m datagen --preset cpu --out DATA; python benchmarks/small.py DATA [--seconds 360]
"""

import copy
import functools
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import tyro
from compressai.layers import GDN
from torch import nn

from datagen import dataset
from datagen.dataset import TextImages
from models import codecs, small, teachers
from models.base import Codec
from models.conditioning import ConditionedCodec
from models.reading import FrozenRecognizer
from models.trained import TrainedCodec
from sweep import presets, stages
from sweep.config import StageConfig
from sweep.evaluate import steer
from sweep.objectives import objective_of
from sweep.pareto import Objectives, accuracy_at, front
from sweep.training import train_stage

RATES = (0.06, 0.08, 0.1, 0.12, 0.15)
"""Bits per pixel at which the variants are compared."""
GRID = 4
"""Values of lambda, and of beta, whose points make a variant's front."""
TRIAL = 20
"""Steps that tell how many fit into the time."""
READING = 2 / 3
"""Share of the time that stage 2 takes."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Trains each variant in both stages, then measures it on the validation images."""

    data: tyro.conf.Positional[Path]
    """A finished data set."""
    seconds: float = 360.0
    """Of training, each."""
    threads: int = 2
    """Cores."""


def activated(layer: Callable[[], nn.Module]) -> Callable[[], Codec]:
    """Another activation in place of each SiLU."""

    def build() -> Codec:
        codec = codecs.build("small")
        for module in list(codec.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.SiLU):
                    setattr(module, name, layer())
        return codec

    return build


def normalized() -> Codec:
    """GDN in place of residual blocks."""
    codec = codecs.build("small")
    for transform, inverse in ((codec.get_submodule("g_a"), False), (codec.get_submodule("g_s"), True)):
        for name, child in list(transform.named_children()):
            if isinstance(child, small.Residual):
                transform.add_module(name, GDN(2 * _middle(child).in_channels, inverse=inverse))
    return codec


def depthwise() -> Codec:
    """Residual blocks whose 3x3 convolution sees one channel at a time."""
    codec = codecs.build("small")
    for module in codec.modules():
        if isinstance(module, small.Residual):
            half = _middle(module).in_channels
            module.branch[2] = nn.Conv2d(half, half, 3, padding=1, groups=half)
    return codec


def without_blocks() -> Codec:
    """No residual blocks."""
    codec = codecs.build("small")
    for transform in (codec.get_submodule("g_a"), codec.get_submodule("g_s")):
        for name, child in list(transform.named_children()):
            if isinstance(child, small.Residual):
                transform.add_module(name, nn.Identity())
    return codec


def shaped(**constants: Any) -> Callable[[], Codec]:
    """Other widths or numbers of blocks, each way."""

    def build() -> Codec:
        with patch.multiple(small, **constants):
            return codecs.build("small")

    return build


def decoding(**constants: Any) -> Callable[[], Codec]:
    """The same in g_s alone: encoding costs no more."""

    def build() -> Codec:
        codec = codecs.build("small")
        codec.add_module("g_s", shaped(**constants)().get_submodule("g_s"))
        return codec

    return build


def _middle(block: small.Residual) -> nn.Conv2d:
    """The convolution of a block that sees neighbours, at half of the block's channels."""
    middle = block.branch[2]
    assert isinstance(middle, nn.Conv2d)
    return middle


VARIANTS: dict[str, Callable[[], Codec]] = {
    "small": lambda: codecs.build("small"),
    "wider": shaped(WIDTHS=(48, 128, 224)),
    "wider g_s": decoding(WIDTHS=(48, 128, 224)),
    "4 blocks in g_s": decoding(BLOCKS=4),
    "1 block": shaped(BLOCKS=1),
    "ReLU": activated(nn.ReLU),
    "GDN for blocks": normalized,
    "depthwise blocks": depthwise,
    "no blocks": without_blocks,
    "64 latent channels": functools.partial(small.codec, M=64),
    "160 latent channels": functools.partial(small.codec, M=160),
}


def main() -> None:
    """Prints a line a variant: steps of both stages, parameters, and accuracy at each rate."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    config = presets.cpu()
    recognizer = teachers.load(config.recognizers)
    train, val = (dataset.load(arguments.data, split) for split in ("train", "val"))
    print(f"variant              steps        parameters  {''.join(f'{rate:7.2f}' for rate in RATES)} bpp")
    for name, build in VARIANTS.items():
        torch.manual_seed(config.seed)
        codec = ConditionedCodec(build(), stages.plane(config))
        shares = ((config.stage1, 1 - READING), (config.stage2, READING))
        steps = [
            _train(codec, stage, share * arguments.seconds, train, recognizer if stage is config.stage2 else None)
            for stage, share in shares
        ]
        curve = _front(codec, recognizer, val)
        values = [accuracy_at(curve, rate) for rate in RATES]
        parameters = sum(parameter.numel() for parameter in codec.codec.parameters())
        read = "".join("      -" if value is None else f"{value:7.3f}" for value in values)
        print(f"{name:20} {steps[0]:5} {steps[1]:5}  {parameters:10,}  {read}", flush=True)


def _train(
    codec: ConditionedCodec, stage: StageConfig, seconds: float, data: TextImages, recognizer: FrozenRecognizer | None
) -> int:
    """Trains for about so long; returns the steps that it took."""

    def run(network: ConditionedCodec, steps: int) -> None:
        cut = replace(stage, steps=steps, reading_scales=stage.reading_scales[:1])
        objective = objective_of(cut, network.plane, recognizer)
        train_stage(network, objective, lambda start: dataset.batches(data, cut.batch_size, 0, start), cut)

    trial = copy.deepcopy(codec)
    run(trial, TRIAL // 4)
    started = time.perf_counter()
    run(trial, TRIAL)
    steps = max(1, round(TRIAL * seconds / (time.perf_counter() - started)))
    run(codec, steps)
    return steps


def _front(codec: ConditionedCodec, recognizer: FrozenRecognizer, val: TextImages) -> list[Objectives]:
    plane = codec.plane
    axes = (np.geomspace(*bounds, GRID).tolist() for bounds in (plane.rate_weights, plane.ocr_weights))
    points = []
    for weights in itertools.product(*axes):
        seen = steer(TrainedCodec(codec.fold(*weights), "small", "", {}), recognizer, val)
        points.append(Objectives(seen.bpp, seen.accuracy))
    return front(points)


if __name__ == "__main__":
    main()
