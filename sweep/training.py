"""The only training loop: one codec through one stage, on one worker or on many, whatever its loss terms weigh."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datagen.dataset import Batch
from models.base import Codec, CodecOutput
from models.conditioning import ConditionedCodec
from models.losses import LossTerms
from models.replay import Replayed
from sweep.config import StageConfig
from sweep.errors import DivergedError, Interrupted
from sweep.optimizer import CodecOptimizer

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
    """Of training, in this process."""
    workers: int = 1
    """That train together."""


class TrainingState(NamedTuple):
    """Everything that an interrupted stage needs to go on as if it had not been."""

    step: int
    codec: dict
    optimizer: dict


@dataclass(frozen=True)
class Team:
    """The workers that train one stage together: each on its share of every batch, all with the same weights."""

    rank: int = 0
    size: int = 1
    join: Callable[[nn.Module], nn.Module] = lambda network: network
    """Gives the network whose backward pass averages gradients over the team; waits for the others."""
    any: Callable[[bool], bool] = bool
    """Whether it is true for any member; waits for the others."""

    def share(self, batch: Batch) -> Batch:
        """Every `size`-th image, from the `rank`-th on."""
        return Batch(batch.images[self.rank :: self.size], batch.texts[self.rank :: self.size])


ALONE = Team()


@runtime_checkable
class Keeper(Protocol):
    """Where a stage's state lives between processes."""

    def restore(self) -> TrainingState | None:
        """The last state offered, or None."""
        ...

    def asked_to_end(self) -> bool:
        """Whether the stage is to be left half done."""
        ...

    def offer(self, state: Callable[[], TrainingState], ending: bool) -> None:
        """Called often; takes a state when it is time, and always before the stage is left half done."""
        ...


def train_stage(
    codec: Codec | ConditionedCodec,
    objective: Objective,
    batches: Callable[[int], Iterator[Batch]],
    stage: StageConfig,
    *,
    seed: int = 0,
    team: Team = ALONE,
    report: Callable[[Progress], None] = lambda progress: None,
    keeper: Keeper | None = None,
) -> None:
    """Trains `codec` in place on its own device, for `stage.steps` updates.

    Args:
        objective: loss terms of one batch; each image may have weights of its own.
        batches: the whole team's batches from a step on, without end, on the codec's device.
        team: who else trains it; each member calls this function with the same arguments but for its rank.
        report: called every CHECK_STEPS updates.
        keeper: makes the stage resumable; a resumed stage ends where an undisturbed one does. All members read from
            theirs, and the first one writes.

    Raises:
        DivergedError: the loss is not finite.
        Interrupted: the keeper of any member was asked to end, and has the state.
    """
    codec.train().to(memory_format=torch.channels_last)
    optimizer = CodecOptimizer(codec)
    start = _restore(keeper, codec, optimizer)
    network = team.join(codec) if team.size > 1 else Replayed(codec)
    started = time.perf_counter()
    for step, batch in zip(range(start, stage.steps), batches(start), strict=False):
        # Noise and draws depend on the step alone, not on what ran before in this process.
        torch.manual_seed(hash((seed, step, team.rank)))
        rate = learning_rate(stage, step)
        terms, norm = _update(network, objective, team.share(batch), step, stage, rate, optimizer)
        looking = (step + 1) % CHECK_STEPS == 0 or step + 1 == stage.steps
        if looking:
            progress = _progress(step + 1, stage.steps, terms, rate, time.perf_counter() - started, team.size)
            _check(progress, norm)
            report(progress)
        if keeper is not None:
            # Members of a team leave at the same step, or the others wait for them.
            ending = (looking or team.size == 1) and team.any(keeper.asked_to_end())
            if team.rank == 0:
                keeper.offer(lambda: _state(step + 1, codec, optimizer), ending)  # noqa: B023 - called at once
            if ending:
                raise Interrupted
    codec.eval()
    codec.update_tables()


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


def autocast(device: torch.device) -> AbstractContextManager:
    """bfloat16 where this processor computes it natively; elsewhere it costs time instead of saving it."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.autocast(device.type, torch.bfloat16, enabled=native)


def _update(
    network: Callable[..., CodecOutput],
    objective: Objective,
    batch: Batch,
    step: int,
    stage: StageConfig,
    rate: float,
    optimizer: CodecOptimizer,
) -> tuple[LossTerms, Float[Tensor, ""]]:
    """One step; returns its loss terms and the norm of the team's gradient."""
    optimizer.zero_grad()
    with autocast(batch.images.device):
        terms = objective(network, batch, step)
    terms.scaled.mean().backward()
    norm = nn.utils.clip_grad_norm_(optimizer.parameters, stage.clip_norm)
    optimizer.step(rate)
    return terms, norm


def _check(progress: Progress, norm: Float[Tensor, ""]) -> None:
    """The norm is the same for a whole team, whose members stop together where it is not finite."""
    if not math.isfinite(progress.total) or not math.isfinite(norm):
        raise DivergedError(f"the loss is {progress.total} at step {progress.step}; lower the learning rate or beta")


def _progress(step: int, steps: int, terms: LossTerms, rate: float, seconds: float, workers: int) -> Progress:
    total, mse, bpp = (_mean(term) for term in (terms.total, terms.mse, terms.bpp))
    ocr = None if terms.ocr is None else _mean(terms.ocr)
    return Progress(step, steps, total, mse, bpp, ocr, rate, seconds, workers)


def _mean(term: Float[Tensor, " b"]) -> float:
    return term.detach().mean().item()


def _state(step: int, codec: nn.Module, optimizer: CodecOptimizer) -> TrainingState:
    return TrainingState(step, codec.state_dict(), optimizer.state_dict())


def _restore(keeper: Keeper | None, codec: nn.Module, optimizer: CodecOptimizer) -> int:
    state = keeper.restore() if keeper is not None else None
    if state is None:
        return 0
    codec.load_state_dict(state.codec)
    optimizer.load_state_dict(state.optimizer)
    return state.step
