"""The loop, on a real codec with few steps."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from datagen import dataset
from datagen.dataset import Batch, TextImages
from models.codecs import registry as codecs
from models.codecs.base import Codec, CodecOutput
from models.losses import LossTerms, LossWeights, objective
from sweep.config import StageConfig
from sweep.errors import DivergedError, Interrupted
from sweep.training import loop
from sweep.training.checkpoint import TrainingState
from sweep.training.loop import Objective, Progress, train_stage
from sweep.training.optimizer import CodecOptimizer
from sweep.training.team import Team

RATE_WEIGHT = 0.01


class Notebook:
    """A checkpointer that takes every state."""

    def __init__(self, ending: bool = False) -> None:
        self.states: list[TrainingState] = []
        self._ending = ending

    def stop_requested(self) -> bool:
        return self._ending

    def restore(self) -> TrainingState | None:
        return self.states[-1] if self.states else None

    def due(self) -> bool:
        return True

    def save(self, state: TrainingState) -> None:
        self.states.append(copy.deepcopy(state))

    def drop_last(self) -> None:
        del self.states[max(1, len(self.states) - 1) :]


@pytest.fixture
def terms() -> Objective:
    weights = LossWeights(1.0, RATE_WEIGHT, 0.0)

    def of(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        return objective(codec(batch.images), batch.images, batch.texts, None, weights)

    return of


def fresh() -> Codec:
    torch.manual_seed(0)
    return codecs.build("small")


def same(a: Codec, b: Codec) -> bool:
    return all(torch.equal(tensor, b.state_dict()[name]) for name, tensor in a.state_dict().items())


def stage(steps: int) -> StageConfig:
    return StageConfig(steps=steps, batch_size=2, rate_weight=RATE_WEIGHT)


@pytest.fixture
def batches(test_images: TextImages) -> Callable[[int], Iterator[Batch]]:
    narrow = TextImages(test_images.images[:, :, :64], test_images.texts)
    return lambda start: dataset.batches(narrow, 2, 0, start)


@pytest.mark.slow
def test_training_lowers_the_loss_and_leaves_a_codec_ready_to_compress(terms, batches) -> None:
    codec, seen = fresh(), list[Progress]()
    train_stage(codec, terms, batches, stage(100), report=seen.append)
    assert [progress.step for progress in seen] == [*range(10, 101, 10)]
    assert seen[-1].total < 0.5 * seen[0].total
    assert not codec.training
    assert codec.compress(torch.rand(1, 3, 64, 64))


@pytest.mark.slow
def test_a_resumed_stage_ends_where_an_undisturbed_one_does(terms, batches) -> None:
    whole, notes = fresh(), Notebook()
    train_stage(whole, terms, batches, stage(6), checkpointer=notes)
    notes.states = notes.states[:4]
    resumed = fresh()
    train_stage(resumed, terms, batches, stage(6), checkpointer=notes)
    assert same(whole, resumed)


@pytest.mark.slow
def test_each_member_of_a_team_trains_the_network_that_it_joined_on_its_share(terms, batches) -> None:
    batch = next(batches(0))
    shares = [Team(rank, 2).share(batch) for rank in range(2)]
    assert [share.texts for share in shares] == [batch.texts[0::2], batch.texts[1::2]]
    assert torch.equal(torch.cat([share.images for share in shares]), batch.images)
    joined: list[nn.Module] = []
    codec, alone = fresh(), fresh()
    first = Team(0, 2, lambda network: joined.append(network) or network)
    train_stage(codec, terms, batches, stage(2), team=first)
    train_stage(alone, terms, lambda start: map(first.share, batches(start)), stage(2))
    assert joined == [codec]
    assert all(torch.equal(a, b) for a, b in zip(codec.parameters(), alone.parameters(), strict=True))


@pytest.mark.parametrize(("rank", "asked"), [(0, True), (0, False), (1, False)])
def test_all_of_a_team_leave_at_the_same_step_when_any_is_asked_to(
    rank: int, asked: bool, terms, batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECK_STEPS", 1)
    notes, seen = Notebook(asked), list[bool]()
    member = Team(rank, 2, lambda network: network, lambda mine: bool(seen.append(mine)) or len(seen) == 2)
    with pytest.raises(Interrupted):
        train_stage(fresh(), terms, batches, stage(4), team=member, checkpointer=notes)
    assert seen == [asked, asked]
    assert [state.step for state in notes.states] == ([0, 1, 2] if rank == 0 else [])


def failing(terms: Objective, fails: Callable[[int], bool]) -> Objective:
    """The objective, whose loss is NaN at the steps where it is to fail."""

    def of(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        found, factor = terms(codec, batch, step), torch.nan if fails(step) else 1.0
        return found._replace(total=found.total * factor, scaled=found.scaled * factor)

    return of


class Once:
    """Fails from a step on, until the training has gone back behind it."""

    def __init__(self, step: int) -> None:
        self._step, self._last, self._over = step, -1, False

    def __call__(self, step: int) -> bool:
        self._over = self._over or step < self._last
        self._last = step
        return step >= self._step and not self._over


@pytest.fixture
def each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECK_STEPS", 1)


def test_a_batch_whose_loss_is_not_finite_is_left_out_and_counted(terms, batches, each_step: None) -> None:
    notes, seen, codec = Notebook(), list[Progress](), fresh()
    mishaps = train_stage(
        codec, failing(terms, lambda step: step == 2), batches, stage(4), report=seen.append, checkpointer=notes
    )
    assert mishaps == (1, 0)
    assert [progress.skipped for progress in seen] == [0, 0, 1, 1]
    assert [state.step for state in notes.states] == [0, 1, 2, 4]
    assert all(tensor.isfinite().all() for tensor in codec.parameters())
    assert str(mishaps) == "1 updates left out, whose gradients were not finite"


def test_a_stage_that_diverges_goes_back_and_on_at_half_the_rate(terms, batches, each_step: None) -> None:
    notes, seen, whole = Notebook(), list[Progress](), fresh()
    mishaps = train_stage(whole, failing(terms, Once(3)), batches, stage(8), report=seen.append, checkpointer=notes)
    assert mishaps == (0, 1)
    # Of the states after 2 and 3 updates, the first is the one from which it went on well.
    assert [progress.step for progress in seen] == [1, 2, 3, 4, 5, 3, 4, 5, 6, 7, 8]
    rates = [loop.learning_rate(stage(8), step) for step in range(8)]
    assert [progress.learning_rate for progress in seen] == rates[:5] + [rate / 2 for rate in rates[2:]]
    assert [progress.halvings for progress in seen] == 5 * [0] + 6 * [1]
    notes.states = [state for state in notes.states if state.step < 6]
    resumed = fresh()
    assert train_stage(resumed, terms, batches, stage(8), checkpointer=notes) == (0, 1)
    assert same(whole, resumed)


def test_a_stage_that_diverges_at_any_rate_ends_with_what_to_change(terms, batches, each_step: None) -> None:
    notes, wild = Notebook(), replace(stage(8), learning_rate=1e30)
    with pytest.raises(DivergedError, match=r"1/4 of the learning rate, 3 updates.*sweep/presets\.py"):
        train_stage(fresh(), terms, batches, wild, checkpointer=notes)
    assert notes.states[-1].halvings == 2
    assert all(tensor.isfinite().all() for tensor in notes.states[-1].codec.values())


def test_all_of_a_team_go_back_to_what_the_first_one_kept(terms, batches, each_step: None) -> None:
    notes, waits = Notebook(), list[bool]()
    second = Team(1, 2, lambda network: network, lambda mine: bool(waits.append(mine)), lambda mine: notes.restore())
    notes.save(TrainingState(1, fresh().state_dict(), CodecOptimizer(fresh()).state_dict(), halvings=1))
    seen = list[Progress]()
    train_stage(
        fresh(), failing(terms, Once(3)), batches, stage(8), team=second, report=seen.append, checkpointer=notes
    )
    assert [progress.step for progress in seen] == [2, 3, 4, 5, 2, 3, 4, 5, 6, 7, 8]
    assert len(notes.states) == 1


def test_a_team_goes_on_from_what_the_first_one_sees_whatever_the_others_do(terms, batches, each_step: None) -> None:
    first, others = Notebook(), Notebook()
    for notes, step in ((first, 5), (others, 2)):
        notes.save(TrainingState(step, fresh().state_dict(), CodecOptimizer(fresh()).state_dict()))
    given, seen = list[TrainingState | None](), list[Progress]()

    def from_first(mine: TrainingState | None) -> TrainingState | None:
        given.append(mine)
        return first.restore()

    second = Team(1, 2, from_first=from_first)
    train_stage(fresh(), terms, batches, stage(8), team=second, report=seen.append, checkpointer=others)
    assert (given, [progress.step for progress in seen]) == ([None], [6, 7, 8])


def test_without_a_checkpointer_there_is_nothing_to_go_back_to(terms, batches) -> None:
    with pytest.raises(DivergedError, match="the loss is nan at step 1"):
        train_stage(fresh(), failing(terms, lambda step: True), batches, stage(1))


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    config = StageConfig(steps=100, learning_rate=1.0)
    rates = [loop.learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[5] == 1.0
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] < 0.001
