"""The tables of an entropy model, which tell how frequent each symbol is: checked, and as the entropy coder takes them.

An entropy model of CompressAI holds a table a row: its cumulative frequencies (`_quantized_cdf`), how many they are
(`_cdf_length`), and its least symbol (`_offset`). The last frequency is that of all symbols that the table lacks.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import constriction
import numpy as np
import torch
from compressai.entropy_models import EntropyBottleneck, EntropyModel, GaussianConditional
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import ModelError

TOTAL = 1 << 16
"""Sum of a table's frequencies. Each symbol has one at least, and so has what is too rare to have its own."""
SHORTEST = 3
"""Least entries of a table, which has one symbol and an entry for all others together."""
LARGEST = 1 << 26
"""Bound of a latent and of a table's least symbol: what lies beyond a table is counted in 32 bits."""
PRECISE = 1 - 2**-12
"""Share of a symbol's information that a stream grows by at least: the coder's state is rounded at each symbol, by
2**-8 of itself where it is smallest, 2**32, and ever less up to 2**64."""


class Tables(NamedTuple):
    """What an entropy model's tables are to the coder."""

    frequencies: list[constriction.stream.model.Categorical]
    """Of each table: of its symbols, from the least on, and of all others together."""
    least: NDArray[np.int32]
    """Each table's least symbol."""
    others: NDArray[np.int32]
    """Place of all others: how many symbols each table has."""


class _Converted(NamedTuple):
    """An entropy model's tables, and what they were made of."""

    buffers: list[Tensor]
    tables: Tables


_converted = WeakKeyDictionary[EntropyModel, _Converted]()


def tables_of(model: EntropyModel) -> Tables:
    """The tables, checked and converted once for as long as they stay the same.

    To compare them takes a tenth of the time.

    Raises:
        ModelError: they were not prepared or are damaged.
    """
    buffers = [buffer.cpu() for buffer in model.buffers(recurse=False)]
    known = _converted.get(model)
    if known is None or not all(map(torch.equal, known.buffers, buffers)):
        known = _Converted([buffer.clone() for buffer in buffers], _convert(model))
        _converted[model] = known
    return known.tables


def least_bits(model: EntropyModel) -> Float[Tensor, " n"]:
    """What a latent takes at least by each of the tables, which is what their likeliest symbol does.

    Raises:
        ModelError: as `tables_of`.
    """
    _check(model)
    cdf, length, _ = _buffers(model)
    inside = torch.arange(1, cdf.shape[1], device=cdf.device) < length[:, None]
    most = torch.where(inside, cdf.diff(), 0).amax(1)
    return PRECISE * -(most.double() / TOTAL).log2()


def check_tables(codec: nn.Module) -> None:
    """Looks whether a codec's tables can be coded by.

    Raises:
        ModelError: some are empty or damaged.
    """
    for model in codec.modules():
        if isinstance(model, EntropyModel):
            _check(model)


def _check(model: EntropyModel) -> None:
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


def _convert(model: EntropyModel) -> Tables:
    _check(model)
    cdf, length, offset = (np.asarray(table.cpu(), np.int32) for table in _buffers(model))
    # Whole numbers of 16 bits over 2**16 are exact in float32, so that frequencies are the same on every machine.
    shares = (np.diff(row[:entries]).astype(np.float32) / TOTAL for row, entries in zip(cdf, length, strict=True))
    return Tables([constriction.stream.model.Categorical(each, perfect=False) for each in shares], offset, length - 2)
