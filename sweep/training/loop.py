"""The only training loop: one codec through one stage, on one worker or on many, whatever its loss terms weigh."""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datagen.dataset import Batch
from models.codecs.base import Codec, CodecOutput
from models.codecs.conditioning import ConditionedCodec
from models.cuda_graphs import CudaGraphed
from models.losses import LossTerms
from sweep.config import StageConfig
from sweep.errors import Interrupted
from sweep.training.checkpoint import Checkpointer, Checkpointing, Mishaps
from sweep.training.optimizer import CodecOptimizer
from sweep.training.team import ALONE, Team

CHECK_STEPS = 10
"""Updates between two looks at the loss; each look waits for the GPU."""
WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""

Objective = Callable[[Callable[..., CodecOutput], Batch, int], LossTerms]
"""Runs the codec on a batch at a step and weighs what comes out; its draws follow torch's global random state."""


class Progress(NamedTuple):
    """What a training stage tells while it runs; loss terms are means over the batch."""

    step: int
    steps: int
    total: float
    mse: float
    bpp: float
    ocr: float | None
    learning_rate: float
    seconds: float
    """Time in training, in this process."""
    workers: int = 1
    """Workers that train together."""
    skipped: int = 0
    halvings: int = 0
    text: float | None = None
    """Mean squared error from the clean renderings."""

    @property
    def mishaps(self) -> Mishaps:
        """What went wrong so far."""
        return Mishaps(self.skipped, self.halvings)


def train_stage(
    codec: Codec | ConditionedCodec,
    objective: Objective,
    batches: Callable[[int], Iterator[Batch]],
    stage: StageConfig,
    *,
    seed: int = 0,
    team: Team = ALONE,
    report: Callable[[Progress], None] = lambda progress: None,
    checkpointer: Checkpointer | None = None,
) -> Mishaps:
    """Trains `codec` in place on its own device, for `stage.steps` updates.

    Updates whose gradients are not finite are left out. Where they are many, the stage goes back to the last state from
    which it went on well, and on at half the learning rate.

    Args:
        objective: loss terms of one batch; each image may have weights of its own.
        batches: the whole team's batches from a step on, without end, on the codec's device.
        team: who else trains it; each member calls this function with the same arguments but for its rank.
        report: called every CHECK_STEPS updates.
        checkpointer: makes the stage resumable; a resumed stage ends where an undisturbed one does. The first member
            reads and saves the states for all. Without a checkpointer there is nothing to roll back to.

    Raises:
        DivergedError: the loss is not finite, after all that was tried.
        Interrupted: the checkpointer of any member was asked to end, and has the state.
    """
    codec.train().to(memory_format=torch.channels_last)
    optimizer = CodecOptimizer(codec)
    checkpoints = Checkpointing(codec, optimizer, checkpointer, team)
    network = team.join(codec) if team.size > 1 else CudaGraphed(codec)
    started = time.perf_counter()
    step, ahead = checkpoints.step, batches(checkpoints.step)
    while step < stage.steps:
        # Noise and draws depend on the step alone, not on what ran before in this process.
        torch.manual_seed(hash((seed, step, team.rank)))  # pyright: ignore[reportUnknownMemberType]
        rate = checkpoints.slowed(learning_rate(stage, step))
        terms = _update(network, objective, team.share(next(ahead)), step, stage, rate, optimizer)
        step += 1
        looking = step % CHECK_STEPS == 0 or step == stage.steps
        if looking:
            seconds = time.perf_counter() - started
            progress = _progress(step, stage.steps, terms, rate, seconds, team.size, checkpoints.mishaps)
            if checkpoints.lost(step, stage.steps):
                step = checkpoints.roll_back(_reason(progress))
                ahead = batches(step)
                continue
            report(progress)
        # Members of a team leave at the same step, or the others wait for them.
        asked = checkpointer is not None and checkpointer.stop_requested()
        ending = (looking or team.size == 1) and team.any(asked)
        checkpoints.maybe_save(step, ending)
        if ending:
            raise Interrupted
    codec.eval()
    codec.update_tables()
    return checkpoints.mishaps


def every(seconds: float, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Passes on the first progress, and then one each so many seconds."""
    last = -math.inf

    def limited(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds or progress.step == progress.steps:
            last = time.monotonic()
            report(progress)

    return limited


def learning_rate(stage: StageConfig, step: int) -> float:
    """Linear warm-up, then half a cosine to zero."""
    warmup = max(1, round(WARMUP * stage.steps))
    if step < warmup:
        return stage.learning_rate * (step + 1) / warmup
    return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, stage.steps - warmup)))


def computes_bfloat16(device: torch.device) -> bool:
    """Whether this processor computes bfloat16 natively."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu.get_capabilities().get("avx512_bf16", False)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where this processor computes it natively; elsewhere it costs time instead of saving it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))


def _update(
    network: Callable[..., CodecOutput],
    objective: Objective,
    batch: Batch,
    step: int,
    stage: StageConfig,
    rate: float,
    optimizer: CodecOptimizer,
) -> LossTerms:
    """One step; returns the loss terms. The gradient that is clipped is the mean over the whole team."""
    optimizer.zero_grad()
    with autocast(batch.images.device):
        terms = objective(network, batch, step)
    terms.scaled.mean().backward()  # pyright: ignore[reportUnknownMemberType]
    norm = nn.utils.clip_grad_norm_(optimizer.parameters, stage.clip_norm)
    optimizer.step(rate, norm)
    return terms


def _reason(progress: Progress) -> str:
    """Why a training has diverged, and what can be done."""
    beta = "" if progress.ocr is None else " or a smaller upper beta (--betas)"
    return (
        f"the loss is {progress.total:.3g} at step {progress.step} ({progress.mishaps}); "
        f"start another --out with a lower learning_rate (sweep/presets.py){beta}"
    )


def _progress(
    step: int, steps: int, terms: LossTerms, rate: float, seconds: float, workers: int, mishaps: Mishaps
) -> Progress:
    total, mse, bpp = (_mean(term) for term in (terms.total, terms.mse, terms.bpp))
    ocr, text = (None if term is None else _mean(term) for term in (terms.ocr, terms.text))
    return Progress(step, steps, total, mse, bpp, ocr, rate, seconds, workers, *mishaps, text)


def _mean(term: Float[Tensor, " b"]) -> float:
    return term.detach().mean().item()
