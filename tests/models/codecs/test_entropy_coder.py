"""The entropy coder of latents."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from compressai.entropy_models import EntropyModel
from compressai.models.base import get_scale_table

from models.codecs import coding_tables, entropy_coder
from models.codecs.base import LARGEST_SCALE
from models.codecs.entropy_coder import Latent
from models.codecs.entropy_models import Bottleneck, Gaussian
from models.errors import FormatError, ModelError

STRANGE = (0, 1, 2, -1, 2**31 - 1, -(2**31), 65_535, 65_536, 65_537, 1 << 26, -(1 << 27))


def gaussian_latent(largest_scale: float = 8) -> Latent:
    gaussian = Gaussian()
    gaussian.update_scale_table(get_scale_table(max=LARGEST_SCALE))
    scales = torch.rand(1, 5, 2, 2, generator=torch.manual_seed(0)) * largest_scale
    return Latent((torch.randn(scales.shape) * scales).round(), gaussian.build_indexes(scales), gaussian)


def test_several_latents_share_a_stream_in_their_order() -> None:
    bottleneck = Bottleneck(3)
    bottleneck.update(update_quantiles=True)
    first, second = torch.randint(-4, 5, (1, 3, 2, 2)).float(), torch.randint(-90, 91, (1, 3, 1, 4)).float()
    coded = [Latent(latents, bottleneck.build_indexes(latents), bottleneck) for latents in (first, second)]
    coded += [gaussian_latent(largest_scale=80), coded[0]]
    decoder = entropy_coder.Decoder(entropy_coder.encode(*coded))
    for latents, indexes, model in coded:
        assert torch.equal(decoder.take(indexes, model), latents)
    decoder.close()


def ends(state: int) -> bool:
    """Whether the coder takes a state for the one that coding starts from."""
    try:
        entropy_coder.Decoder(state.to_bytes(9).lstrip(b"\0")).close()
    except FormatError:
        return False
    return True


def test_only_the_state_that_coding_starts_from_ends_a_stream() -> None:
    assert ends(entropy_coder.START)
    near = range(entropy_coder.START + 1, entropy_coder.START + 2**16 * 40, 997)
    flipped = [entropy_coder.START ^ 1 << bit for bit in range(64)]
    # As the states of a coder are, rarer the higher they are.
    any_states = (2 ** np.random.default_rng(0).uniform(0, 63, 20_000)).astype(int).tolist()
    assert not any(map(ends, [*near, *flipped, *any_states]))


def test_a_stream_is_that_of_the_present_tables() -> None:
    latent = gaussian_latent()

    def anew() -> bytes:
        return entropy_coder.encode(latent._replace(model=copy.deepcopy(latent.model)))

    before = [entropy_coder.encode(latent) for _ in range(2)]
    assert before == [anew()] * 2
    latent.model.get_buffer("_offset").sub_(1)
    assert entropy_coder.encode(latent) == anew() != before[0]


@pytest.mark.parametrize("table", [0, 3, 20])
def test_no_stream_is_shorter_than_its_latents_take_at_least(table: int) -> None:
    model = Gaussian()
    model.update_scale_table(get_scale_table(max=LARGEST_SCALE))
    likeliest = torch.zeros(1, 1, 1000, 1000)
    stream = entropy_coder.encode(Latent(likeliest, torch.full_like(likeliest, table, dtype=torch.long), model))
    least = likeliest.numel() * coding_tables.least_bits(model)[table].item() / 8
    assert least <= len(stream) <= 1.001 * least + 8


@pytest.mark.parametrize("place", range(20))
def test_one_latent_decoded_by_another_table_is_an_error(place: int) -> None:
    latent = gaussian_latent()
    decoder = entropy_coder.Decoder(entropy_coder.encode(latent))
    other = torch.eye(20).int()[place].reshape(latent.indexes.shape)
    decoder.take(latent.indexes + other, latent.model)
    with pytest.raises(FormatError, match="other latents"):
        decoder.close()


def test_tables_are_refused_or_code_whatever_they_hold() -> None:
    """Others would end this process, or never end."""
    draw, coded, sound = np.random.default_rng(0), 0, gaussian_latent()
    for _ in range(100):
        latent = sound._replace(model=copy.deepcopy(sound.model))
        _mutate(latent.model, draw)
        try:
            stream = entropy_coder.encode(latent)
        except ModelError:
            continue
        coded += 1
        decoder = entropy_coder.Decoder(stream)
        assert torch.equal(decoder.take(latent.indexes, latent.model), latent.symbols)
    assert 10 < coded < 60


def _mutate(model: EntropyModel, draw: np.random.Generator) -> None:
    """Other numbers in a buffer, or another shape of it."""
    buffers = list(dict(model.named_buffers(recurse=False)))
    name = buffers[draw.integers(len(buffers))]
    values = model.get_buffer(name).clone()
    places, other = draw.integers(0, values.numel(), draw.integers(1, 9)), draw.choice(STRANGE)
    values.view(-1)[places] = torch.tensor(other).to(values.dtype) if draw.integers(2) else values.view(-1)[places] + 1
    model.register_buffer(name, values if draw.integers(4) else values[: draw.integers(len(values))])


@pytest.mark.parametrize("changed", [lambda stream: stream[:-4], lambda stream: stream + b"more"])
def test_a_stream_too_short_or_too_long_is_an_error(changed: Callable[[bytes], bytes]) -> None:
    latent = gaussian_latent()
    decoder = entropy_coder.Decoder(changed(entropy_coder.encode(latent)))
    decoder.take(latent.indexes, latent.model)
    with pytest.raises(FormatError, match="other latents"):
        decoder.close()
