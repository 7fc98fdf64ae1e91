"""A file is decoded to the latents that were coded, wherever and however that is done, or to an error."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import pytest
import torch

from datagen.dataset import TextImages, to_tensor
from models.codecs.two_pass import TwoPass
from models.errors import FormatError, ModelError
from models.files import tfic
from models.files.framing import WHOLE, Head, TficFile
from models.files.model import RateDial, Size, TrainedCodec

MUTATIONS = 1_000


@contextmanager
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


ELSEWHERE = {
    "one thread": one_thread,
    "without oneDNN": lambda: torch.backends.mkldnn.flags(enabled=False),
    "bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
    "as it was coded": nullcontext,
}


def tables(codec: TwoPass, z_hat: torch.Tensor) -> torch.Tensor:
    """Those that y's elements are coded by."""
    with torch.no_grad():
        scales, _, _ = codec.step_by_step(z_hat, lambda _, means: means.round())
    return torch.cat([codec.gaussian_conditional.build_indexes(one) for one in scales.split(1)])


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_a_file_is_decoded_under_other_arithmetic(
    elsewhere: str, trained: TrainedCodec, test_images: TextImages
) -> None:
    codec: AbstractContextManager = ELSEWHERE[elsewhere]()
    images = test_images.images[:6]
    files = [tfic.encode(trained, image) for image in images]
    with codec:
        decoded = np.stack([tfic.decode(trained, file) for file in files])
        coded = [tfic.encode(trained, image) for image in images]
    here = np.stack([tfic.decode(trained, file) for file in files])
    assert np.abs(decoded.astype(int) - here).max() <= (8 if elsewhere == "bfloat16" else 1)
    for file in coded:
        assert tfic.decode(trained, file).shape == (64, 256, 3)


def test_tables_do_not_depend_on_who_else_is_in_the_batch(trained: TrainedCodec, test_images: TextImages) -> None:
    codec = trained.codec
    assert isinstance(codec, TwoPass)
    with torch.no_grad():
        z_hat = codec.h_a(codec.g_a(to_tensor(test_images.images[:6]))).round()
    assert torch.equal(tables(codec, z_hat), torch.cat([tables(codec, z) for z in z_hat.split(1)]))


def test_a_dial_folds_the_same_tables_in_other_arithmetic(dial: RateDial) -> None:
    weights = dial.weights(37)
    here = dial.network.fold(*weights)
    with one_thread(), torch.backends.mkldnn.flags(enabled=False), torch.autocast("cpu", torch.bfloat16):
        there = dial.network.fold(*weights)
    for name, value in here.state_dict().items():
        assert torch.equal(there.state_dict()[name], value), name


def test_latents_that_were_not_coded_are_an_error(trained: TrainedCodec, test_images: TextImages) -> None:
    codec = trained.codec
    stream = codec.compress(to_tensor(test_images.images[:1]))
    other = bytes([stream[-1] ^ 1])
    with pytest.raises(FormatError, match="other latents"):
        codec.decompress(stream[:-1] + other, 64, 256)


def test_no_mutated_file_is_decoded(trained: TrainedCodec, test_images: TextImages) -> None:
    files = [tfic.encode(trained, image) for image in test_images.images[:4]]
    draw = np.random.default_rng(0)
    for index in range(MUTATIONS):
        data = _mutated(files[index % len(files)], draw)
        if data not in files:
            with pytest.raises(FormatError):
                tfic.decode(trained, data)


def test_whatever_a_file_claims_it_is_decoded_or_refused(trained: TrainedCodec) -> None:
    draw = random.Random(0)
    sides = (1, 64, 300, 65_536)
    for _ in range(40):
        width, height = draw.choice(sides), draw.choice(sides)
        stream = draw.choice([b"\0", b"\xff", b"\x11", draw.randbytes(64)]) * draw.randint(1, 299)
        quality = draw.choices([None, 0, 255], [8, 1, 1])[0]
        size = draw.choice([None, Size(width, height)])
        scale = WHOLE if size is None else draw.choice([1, WHOLE, 255])
        head = Head(size, quality, draw.random() < 0.5, scale)
        file = TficFile(trained.fingerprint[:2], head, stream)
        with pytest.raises(ModelError):
            tfic.decode(trained, file.pack())


def test_a_stream_that_asks_for_many_times_its_length_is_an_error(trained: TrainedCodec) -> None:
    """Of halves of 15 alone, each of which says that 15 others follow."""
    file = TficFile(trained.fingerprint[:2], Head(Size(64, 64)), b"\xff" * 2_000_000)
    file = file.masked(Size(64, 64), trained.fingerprint)
    with pytest.raises(FormatError, match="other latents"):
        tfic.decode(trained, file.pack())


def _mutated(data: bytes, draw: np.random.Generator) -> bytes:
    """Bits flipped, bytes replaced, cut off, repeated or put in."""
    at, until = sorted(draw.integers(0, len(data) + 1, 2))
    match draw.integers(5):
        case 0:
            flipped = bytearray(data)
            for place in draw.integers(0, 8 * len(data), draw.integers(1, 9)):
                flipped[place // 8] ^= 1 << place % 8
            return bytes(flipped)
        case 1:
            return data[:at] + draw.bytes(until - at) + data[until:]
        case 2:
            return data[:at]
        case 3:
            return data[:until] + data[at:]
        case _:
            return data[:at] + draw.bytes(2) + data[at:]
