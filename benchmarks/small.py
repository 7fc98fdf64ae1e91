"""What the parts of the codec `small` are worth: variants of it, each trained for as long, and read at the same rates.

python -m datagen --preset cpu --out DATA; python benchmarks/small.py DATA [--seconds 360]
"""

import functools
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
import tyro
from compressai.layers import GDN
from torch import nn

from datagen import dataset
from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.codecs import small
from models.codecs.base import Codec
from models.codecs.conditioning import ConditionedCodec
from models.codecs.hyperprior import MeanScaleHyperprior
from models.files.model import TrainedCodec
from models.recognizers import ensemble
from models.recognizers.base import FrozenRecognizer
from sweep import presets
from sweep.config import StageConfig
from sweep.results.pareto import Objectives, accuracy_at, front
from sweep.stages import tree
from sweep.training.loop import train_stage
from sweep.training.objectives import objective_of
from sweep.trials.evaluate import validate

RATES = (0.06, 0.08, 0.1, 0.12, 0.15)
"""Bits per pixel at which the variants are compared."""
GRID = 4
"""Values of lambda, and of beta, whose points make a variant's front."""
TRIAL = 20
"""Steps that tell how many fit into the time."""
ROUNDS = 3
"""Of such trials."""
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


class Lesson(NamedTuple):
    """One stage of the training."""

    stage: StageConfig
    recognizer: FrozenRecognizer | None
    share: float
    """Of the time."""


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


def coarser() -> Codec:
    """y at 1/16 of the sides, with blocks there too, and z where it was: `small` until its latents were made finer."""
    M, N, inner, outer = 96, 32, small.WIDTHS[1], 160
    with patch.multiple(small, HALVINGS=2):
        codec = small.codec(M, N)
    g_a, g_s = (list(codec.get_submodule(name).children()) for name in ("g_a", "g_s"))
    down, up = small.down(inner, outer), small.up(outer, inner)
    codec.add_module("g_a", nn.Sequential(*g_a[:-1], down, *small.blocks(outer), nn.Conv2d(outer, M, 1)))
    codec.add_module("g_s", nn.Sequential(nn.Conv2d(M, outer, 1), *small.blocks(outer), up, *g_s[1:]))
    return codec


def one_pass(M: int = 32, N: int = 64) -> Codec:
    """All of y coded by what z tells: `small` until its y was coded in two passes."""
    doublings = [layer for _ in range(small.HALVINGS) for layer in (small.up(N, N), nn.SiLU())]
    return MeanScaleHyperprior(
        g_a=small.analysis(M),
        g_s=small.synthesis(M),
        h_a=small.hyper_analysis(M, N),
        h_s=nn.Sequential(*doublings, nn.Conv2d(N, 2 * M, 3, padding=1)),
        N=N,
    )


def finer_z() -> Codec:
    """z at 1/32 of the sides."""
    codec = shaped(HALVINGS=2)()
    codec.downsampling_factor = 32
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
    "one pass": one_pass,
    "wider": shaped(WIDTHS=(48, 128)),
    "wider g_s": decoding(WIDTHS=(48, 128)),
    "4 blocks in g_s": decoding(BLOCKS=4),
    "1 block": shaped(BLOCKS=1),
    "3 blocks": shaped(BLOCKS=3),
    "ReLU": activated(nn.ReLU),
    "GDN for blocks": normalized,
    "depthwise blocks": depthwise,
    "no blocks": without_blocks,
    "24 latent channels": functools.partial(small.codec, M=24),
    "48 latent channels": functools.partial(small.codec, M=48),
    "y at 1/16": coarser,
    "z at 1/32": finer_z,
}


def main() -> None:
    """Prints a line a variant: steps of both stages, parameters, and accuracy at each rate."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    config = presets.cpu()
    recognizer = ensemble.load(config.recognizers)
    train, val = (dataset.load(arguments.data, split) for split in ("train", "val"))
    lessons = (Lesson(config.stage1, None, 1 - READING), Lesson(config.stage2, recognizer, READING))
    paces = _paces(lessons, train)
    print(f"variant              steps        parameters  {''.join(f'{rate:7.2f}' for rate in RATES)} bpp")
    for name in VARIANTS:
        codec = _conditioned(name)
        steps = [
            round(lesson.share * arguments.seconds / pace) for lesson, pace in zip(lessons, paces[name], strict=True)
        ]
        for lesson, count in zip(lessons, steps, strict=True):
            _train(codec, lesson, count, train)
        curve = _front(codec, recognizer, val)
        values = [accuracy_at(curve, rate) for rate in RATES]
        parameters = sum(parameter.numel() for parameter in codec.codec.parameters())
        read = "".join("      -" if value is None else f"{value:7.3f}" for value in values)
        print(f"{name:20} {steps[0]:5} {steps[1]:5}  {parameters:10,}  {read}", flush=True)


def _conditioned(name: str) -> ConditionedCodec:
    config = presets.cpu()
    torch.manual_seed(config.seed)
    return ConditionedCodec(VARIANTS[name](), tree.plane(config))


def _paces(lessons: tuple[Lesson, ...], data: TextImages) -> dict[str, list[float]]:
    """Seconds that a step of each lesson takes each variant: the least of some rounds over all of them.

    The speed of a machine drifts, and is not to decide between them.
    """
    paces = {name: [math.inf] * len(lessons) for name in VARIANTS}
    for _, name in itertools.product(range(ROUNDS), VARIANTS):
        seen = [_pace(_conditioned(name), lesson, data) for lesson in lessons]
        paces[name] = [min(pair) for pair in zip(paces[name], seen, strict=True)]
    return paces


def _pace(codec: ConditionedCodec, lesson: Lesson, data: TextImages) -> float:
    _train(codec, lesson, TRIAL // 4, data)
    started = time.perf_counter()
    _train(codec, lesson, TRIAL, data)
    return (time.perf_counter() - started) / TRIAL


def _train(codec: ConditionedCodec, lesson: Lesson, steps: int, data: TextImages) -> None:
    stage = replace(lesson.stage, steps=steps, reading_scales=lesson.stage.reading_scales[:1])
    objective = objective_of(stage, codec.plane, lesson.recognizer)
    train_stage(codec, objective, lambda start: dataset.batches(data, stage.batch_size, 0, start), stage)


def _front(codec: ConditionedCodec, recognizer: FrozenRecognizer, val: TextImages) -> list[Objectives]:
    plane = codec.plane
    axes = (np.geomspace(*bounds, GRID).tolist() for bounds in (plane.rate_weights, plane.ocr_weights))
    points = []
    for weights in itertools.product(*axes):
        seen = validate(TrainedCodec(codec.fold(*weights), "small", "", {}), recognizer, val)
        points.append(Objectives(seen.bpp, seen.accuracy))
    return front(points)


if __name__ == "__main__":
    main()
