"""The entropy coder: latents -> one stream of bytes, and back."""

from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyBottleneck, EntropyModel, GaussianConditional
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.errors import FormatError, ModelError

WORD = 4
"""Bytes by which the coder writes; its first two words are its state, the high one second."""
AFTER = 0x11
"""Each byte that follows a stream and what ends it: not 0, of which a state that took too much would be full too, and
in halves that end an escape soon."""
TOTAL = 1 << 16
"""Sum of a table's frequencies. Each symbol has one at least, and so has what is too rare to have its own."""
START = 1 << 31
"""The state that coding starts from, and decoding comes back to."""
END_LOW, END_HIGH = 0x1111, 0xC111
"""Halves of the word that follows a stream, which the coder reads as soon as its state falls below START."""
END_TABLES = [
    [0, 1, END_LOW, END_LOW + 1, TOTAL - 1, TOTAL],
    [0, TOTAL - 1, TOTAL],
    [0, END_HIGH - (START >> 16), END_HIGH - (START >> 16) + 1, TOTAL - 1, TOTAL],
]
"""Tables whose symbols tell whether the state is START. The first is read twice: the state's lower half is 0, and the
next word's lower half follows, for the state has fallen below START. The second takes the state's upper half from the
word's upper half, and the third looks at the difference."""
END = [(0, 0), (0, 2), (1, 0), (2, 1)]
"""The table of each reading at the end, and the symbol that START gives."""
BEYOND = 8
"""Bytes a pixel that a coder may ask for beyond its stream: at most a word for a latent that its table holds, of which
there are fewer than two a pixel."""
ESCAPED = 16
"""Bytes that a coder may ask for beyond each byte of a stream: in what is too rare for a table, half a byte of 15 says
that 15 others follow."""


SHORTEST = 3
"""Least entries of a table, which has one symbol and an entry for all others together."""
PRECISE = 1 - 2**-13
"""Share of a symbol's information that a stream grows by at least: the coder's state of 31 bits or more is rounded."""
LARGEST = 1 << 26
"""Bound of a latent and of a table's least symbol: the coder counts what lies beyond a table in 28 bits, and never ends
where they do not do."""


Tables = tuple[list[list[int]], list[int], list[int]]
"""Cumulative frequencies without the padding that makes them one tensor, their lengths, and least symbols."""


class Latent(NamedTuple):
    """What is written of a latent."""

    symbols: Float[Tensor, "1 _c _h _w"]
    """Whole numbers."""
    indexes: Int[Tensor, "1 _c _h _w"]
    """The table of each symbol."""
    model: EntropyModel
    """The entropy model whose tables these are."""


def encode(*latents: Latent) -> bytes:
    """One stream of several latents.

    Raises:
        ModelError: a model's tables were not prepared or are damaged, or a latent is no number that can be coded.
    """
    check_latents(*latents)
    encoder = BufferedRansEncoder()
    # The tables, which cost more to hand over than most latents, are handed over once for all that follow one another.
    for model, together in groupby(latents, key=lambda latent: latent.model):
        parts = [(symbols.int().flatten(), indexes.flatten()) for symbols, indexes, _ in together]
        symbols, indexes = (_numbers(torch.cat(values)) for values in zip(*parts, strict=True))
        encoder.encode_with_indexes(symbols, indexes, *_tables(model))
    return _trimmed(encoder.flush())


def check_latents(*latents: Latent) -> None:
    """Looks whether latents can be coded.

    Raises:
        ModelError: one is no number, or too large.
    """
    for symbols, _, _ in latents:
        # Not below, so that what is no number is found.
        if not (symbols.abs() < LARGEST).all():
            raise ModelError("the codec makes no latents of this image that can be coded: it has diverged; use another")


class Decoder:
    """Gives back the latents of a stream, in their order."""

    def __init__(self, stream: bytes, pixels: int) -> None:
        """`pixels` is the image's size."""
        self._decoder = RansDecoder()
        # Where it is read as it was not written, the coder looks for more, and not where the memory ends.
        beyond = BEYOND * pixels + ESCAPED * len(stream)
        end = END_LOW.to_bytes(WORD // 2, "little") + END_HIGH.to_bytes(WORD // 2, "little")
        self._decoder.set_stream(_whole(stream) + end + bytes([AFTER]) * beyond)
        self._tables: dict[EntropyModel, Tables] = {}

    def take(self, indexes: Int[Tensor, "1 c h w"], model: EntropyModel) -> Float[Tensor, "1 c h w"]:
        """The next latents, as many as there are indexes."""
        if model not in self._tables:
            self._tables[model] = _tables(model)
        # Each table is copied on its way to the coder: only those that are asked for.
        asked, places = _distinct(indexes)
        cdf, length, offset = self._tables[model]
        tables = [cdf[index] for index in asked], [length[index] for index in asked], [offset[index] for index in asked]
        symbols = self._decoder.decode_stream(places, *tables)
        # By NumPy, which reads a list seven times as fast.
        values = torch.from_numpy(np.array(symbols, np.int32))  # pyright: ignore[reportUnknownMemberType]
        return values.to(indexes.device, torch.float32).reshape(indexes.shape)

    def close(self) -> None:
        """Looks whether the latents are those that were coded, once all are taken.

        Decoding comes back to the state that coding started from. Whatever else was decoded ends in any state x, with a
        density that falls as 1 / x from START to 2**63; what passes is START and, below 2**47, each START + k * 2**32:
        a share of 1.3e-10.

        Raises:
            FormatError: they are not.
        """
        tables, symbols = zip(*END, strict=True)
        found = self._decoder.decode_stream([*tables], END_TABLES, [*map(len, END_TABLES)], [0] * len(END_TABLES))
        if found != [*symbols]:
            raise FormatError(
                "the file was decoded to other latents than were coded: its bytes are damaged, or this machine "
                "computes otherwise than the one that wrote it; decode it there"
            )


def _trimmed(stream: bytes) -> bytes:
    """Without the zero bytes that the coder's state ends with: three at most, so that the length tells how many."""
    head, tail = stream[: 2 * WORD], stream[2 * WORD :]
    return head[: WORD + 1] + head[WORD + 1 :].rstrip(b"\0") + tail


def _whole(stream: bytes) -> bytes:
    """Undoes `_trimmed`."""
    zeros = -len(stream) % WORD
    return stream[: 2 * WORD - zeros] + bytes(zeros) + stream[2 * WORD - zeros :]


def least_bits(model: EntropyModel) -> Float[Tensor, " n"]:
    """What a latent takes at least by each of the tables, which is what their likeliest symbol does."""
    _check_tables(model)
    cdf, length, _ = _buffers(model)
    inside = torch.arange(1, cdf.shape[1], device=cdf.device) < length[:, None]
    most = torch.where(inside, cdf.diff(), 0).amax(1)
    return PRECISE * -(most.double() / TOTAL).log2()


def check_tables(codec: nn.Module) -> None:
    """Looks whether the coder, which trusts its tables, can be given a codec's: else it ends the process.

    Raises:
        ModelError: some are empty or damaged.
    """
    for model in codec.modules():
        if isinstance(model, EntropyModel):
            _check_tables(model)


def _check_tables(model: EntropyModel) -> None:
    cdf, length, offset = tables = _buffers(model)
    if not all(table.numel() for table in tables):
        raise ModelError("the codec's coding tables are empty; call update_tables() after training")
    if not _shaped(model, *tables) or not _coding(cdf.long(), length.long(), offset.long()):
        raise ModelError("the codec's coding tables are damaged; export it again")


def _shaped(model: EntropyModel, cdf: Tensor, length: Tensor, offset: Tensor) -> bool:
    """Whether there is a table for each index that the entropy model may ask for."""
    rows = -1
    if isinstance(model, EntropyBottleneck):
        rows = model.channels
    elif isinstance(model, GaussianConditional):
        scales: Tensor = model.get_buffer("scale_table")
        rows = len(scales) if scales.ndim == 1 and bool((scales.diff() > 0).all()) else -1
    kinds = {table.dtype for table in (cdf, length, offset)}
    return cdf.ndim == 2 and kinds == {torch.int32} and len(cdf) == rows and length.shape == offset.shape == (rows,)


def _coding(cdf: Int[Tensor, "n most"], length: Int[Tensor, " n"], offset: Int[Tensor, " n"]) -> bool:
    """Whether each table rises from 0 to the total."""
    if length.min() < SHORTEST or length.max() > cdf.shape[1] or offset.abs().max() >= LARGEST:
        return False
    steps = torch.arange(1, cdf.shape[1], device=cdf.device) < length[:, None]
    rising = (cdf.diff() > 0) | ~steps
    return bool((cdf[:, 0] == 0).all() and (cdf.gather(1, length[:, None] - 1) == TOTAL).all() and rising.all())


def _buffers(model: EntropyModel) -> list[Tensor]:
    return [model.get_buffer(name) for name in ("_quantized_cdf", "_cdf_length", "_offset")]


class _Converted(NamedTuple):
    """An entropy model's tables as the coder takes them, and what they were made of."""

    buffers: list[Tensor]
    tables: Tables


_converted = WeakKeyDictionary[EntropyModel, _Converted]()


def _tables(model: EntropyModel) -> Tables:
    """The tables as the coder takes them, checked and converted once for as long as they stay the same.

    To compare them takes a tenth of the time.
    """
    buffers = [buffer.cpu() for buffer in model.buffers(recurse=False)]
    known = _converted.get(model)
    if known is None or not all(map(torch.equal, known.buffers, buffers)):
        known = _Converted([buffer.clone() for buffer in buffers], _convert(model))
        _converted[model] = known
    return known.tables


def _convert(model: EntropyModel) -> Tables:
    _check_tables(model)
    cdf, length, offset = (np.asarray(table.cpu(), np.int32) for table in _buffers(model))
    # As rows of NumPy: most of what pads them would else be converted only to be cut off.
    return [row[:count].tolist() for row, count in zip(cdf, length, strict=True)], length.tolist(), offset.tolist()


def _distinct(indexes: Int[Tensor, "*_n"]) -> tuple[list[int], list[int]]:
    """Each index that occurs, once, and for each element the place of its index among them."""
    unique = cast("Callable[..., tuple[Tensor, Tensor]]", indexes.unique)  # pyright: ignore[reportUnknownMemberType]
    values, places = unique(return_inverse=True)
    return _numbers(values), _numbers(places.flatten())


def _numbers(values: Int[Tensor, " n"]) -> list[int]:
    return cast("list[int]", values.tolist())  # pyright: ignore[reportUnknownMemberType]
