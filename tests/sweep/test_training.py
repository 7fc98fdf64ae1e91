"""The loop, on a real codec with few steps."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from datagen import dataset
from datagen.dataset import Batch, TextImages
from models import codecs
from models.base import Codec, CodecOutput
from models.losses import LossTerms, LossWeights, objective
from sweep import training
from sweep.config import StageConfig
from sweep.errors import DivergedError, Interrupted
from sweep.training import Objective, Progress, Team, TrainingState, train_stage

RATE_WEIGHT = 0.01


class Notebook:
    """A keeper that takes every state, and can forget the later ones."""

    def __init__(self, ending: bool = False) -> None:
        self.states: list[TrainingState] = []
        self._ending = ending

    def asked_to_end(self) -> bool:
        return self._ending

    def restore(self) -> TrainingState | None:
        return self.states[-1] if self.states else None

    def offer(self, state: Callable[[], TrainingState], ending: bool) -> None:
        self.states.append(copy.deepcopy(state()))


@pytest.fixture
def terms() -> Objective:
    weights = LossWeights(1.0, RATE_WEIGHT, 0.0)

    def of(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        return objective(codec(batch.images), batch.images, batch.texts, None, weights)

    return of


def fresh() -> Codec:
    torch.manual_seed(0)
    return codecs.build("small")


def stage(steps: int) -> StageConfig:
    return StageConfig(steps=steps, batch_size=2, rate_weight=RATE_WEIGHT)


@pytest.fixture
def batches(test_images: TextImages) -> Callable[[int], Iterator[Batch]]:
    return lambda start: dataset.batches(test_images, 2, 0, start)


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
    train_stage(whole, terms, batches, stage(6), keeper=notes)
    notes.states = notes.states[:3]
    resumed = fresh()
    train_stage(resumed, terms, batches, stage(6), keeper=notes)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


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
    monkeypatch.setattr(training, "CHECK_STEPS", 1)
    notes, seen = Notebook(asked), list[bool]()
    member = Team(rank, 2, lambda network: network, lambda mine: bool(seen.append(mine)) or len(seen) == 2)
    with pytest.raises(Interrupted):
        train_stage(fresh(), terms, batches, stage(4), team=member, keeper=notes)
    assert seen == [asked, asked]
    assert [state.step for state in notes.states] == ([1, 2] if rank == 0 else [])


def test_a_loss_that_is_not_finite_ends_the_stage(terms, batches) -> None:
    def diverging(codec: Callable[..., CodecOutput], batch: Batch, step: int) -> LossTerms:
        found = terms(codec, batch, step)
        return found._replace(total=found.total * torch.nan)

    with pytest.raises(DivergedError, match="nan at step 1"):
        train_stage(fresh(), diverging, batches, stage(1))


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    config = StageConfig(steps=100, learning_rate=1.0)
    rates = [training.learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[5] == 1.0
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] < 0.001
