"""The entropy coder: latents -> one stream of bytes, and back.

Asymmetric numeral systems (Duda et al., "The use of asymmetric numeral systems as an accurate replacement for Huffman
coding", PCS 2015), by the library constriction. A stream is one large number, its highest byte first. Coding multiplies
and adds, and starts from `START`; decoding divides, the last symbol that was coded first, and comes back to `START`.
Nothing else is written: no length, and no word to fill up.
"""

from typing import NamedTuple

import constriction
import numpy as np
import torch
from compressai.entropy_models import EntropyModel
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from models.codecs.coding_tables import LARGEST, Tables, tables_of
from models.errors import FormatError, ModelError

AnsCoder = constriction.stream.stack.AnsCoder

START = 1 << 24
"""What coding starts from: the sum of the library's frequencies, below which a symbol takes more than it tells."""
WORD = np.dtype(">u4")
"""The coder's digits."""
NIBBLES = 8
"""Most nibbles of what is counted beyond a table."""
LENGTH, NIBBLE = constriction.stream.model.Uniform(NIBBLES + 1), constriction.stream.model.Uniform(16)
"""Distributions of how many nibbles there are, and of each of them."""
SHIFTS = 4 * np.arange(NIBBLES)
"""Where the nibbles stand, the lowest first."""


class Latent(NamedTuple):
    """What is written of a latent."""

    symbols: Float[Tensor, "1 _c _h _w"]
    """Whole numbers."""
    indexes: Int[Tensor, "1 _c _h _w"]
    """The table of each symbol."""
    model: EntropyModel
    """The entropy model whose tables these are."""


class _Groups(NamedTuple):
    """A latent's elements, sorted by their tables: those of one table are coded together."""

    order: NDArray[np.intp]
    """The elements by rising table."""
    tables: NDArray[np.int64]
    """The table of each, in that order."""
    each: list[tuple[int, int]]
    """A table, and how many elements it has."""


def encode(*latents: Latent) -> bytes:
    """One stream of several latents.

    Raises:
        ModelError: a model's tables were not prepared or are damaged, or a latent is no number that can be coded.
    """
    check_latents(*latents)
    coder = AnsCoder(np.array([START], np.uint32))
    tables = {model: tables_of(model) for model in {latent.model for latent in latents}}
    for latent in reversed(latents):
        _push(coder, latent, tables[latent.model])
    return coder.get_compressed()[::-1].astype(WORD).tobytes().lstrip(b"\0")


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

    def __init__(self, stream: bytes) -> None:
        """Reads the whole number.

        Raises:
            FormatError: it starts with a 0, as none does that was written.
        """
        if not stream or stream[0] == 0:
            raise _other_latents()
        digits = stream.rjust(-(-len(stream) // WORD.itemsize) * WORD.itemsize, b"\0")
        self._coder = AnsCoder(np.frombuffer(digits, WORD)[::-1].astype(np.uint32))
        self._tables: dict[EntropyModel, Tables] = {}

    def take(self, indexes: Int[Tensor, "1 c h w"], model: EntropyModel) -> Float[Tensor, "1 c h w"]:
        """The next latents, as many as there are indexes."""
        if model not in self._tables:
            self._tables[model] = tables_of(model)
        frequencies, least, others = self._tables[model]
        order, tables, each = _groups(indexes)
        places = np.concatenate([self._coder.decode(frequencies[table], elements) for table, elements in each])
        missing = places == others[tables]
        places[missing] = _pop_beyond(self._coder, others[tables[missing]])
        symbols = np.empty(len(places), np.float32)
        symbols[order] = places + least[tables]
        return torch.as_tensor(symbols, device=indexes.device).reshape(indexes.shape)

    def close(self) -> None:
        """Looks whether the latents are those that were coded, once all are taken.

        Whatever else was decoded leaves any number, smaller ones more often than large ones: START once in 7e8.

        Raises:
            FormatError: they are not.
        """
        if self._coder.get_compressed().tolist() != [START]:
            raise _other_latents()


def _other_latents() -> FormatError:
    return FormatError(
        "the file was decoded to other latents than were coded: its bytes are damaged, or this machine computes "
        "otherwise than the one that wrote it; decode it there"
    )


def _push(coder: AnsCoder, latent: Latent, of_model: Tables) -> None:
    """Codes a latent by its model's tables; what is pushed last is taken first."""
    frequencies, least, others = of_model
    order, tables, each = _groups(latent.indexes)
    places = np.asarray(latent.symbols.flatten().cpu(), np.int32)[order] - least[tables]
    missing = (places < 0) | (places >= others[tables])
    _push_beyond(coder, places[missing], others[tables[missing]])
    places[missing] = others[tables[missing]]
    end = len(places)
    for table, elements in reversed(each):
        coder.encode_reverse(places[end - elements : end], frequencies[table])
        end -= elements


def _groups(indexes: Int[Tensor, "1 _c _h _w"]) -> _Groups:
    flat = np.asarray(indexes.flatten().cpu(), np.int64)
    order = flat.argsort(kind="stable")
    tables, elements = np.unique(flat, return_counts=True)
    return _Groups(order, flat[order], [*zip(tables.tolist(), elements.tolist(), strict=True)])


def _push_beyond(coder: AnsCoder, places: NDArray[np.int32], count: NDArray[np.int32]) -> None:
    """Codes places that tables of so many symbols do not have: how far above or below they are, nibble by nibble."""
    if len(places):
        distances = np.where(places < 0, -2 * places - 1, 2 * (places - count))
        shifted = distances[:, None] >> SHIFTS
        coder.encode_reverse(np.asarray((shifted & 15)[shifted > 0], np.int32), NIBBLE)
        coder.encode_reverse(np.asarray((shifted > 0).sum(1), np.int32), LENGTH)


def _pop_beyond(coder: AnsCoder, count: NDArray[np.int32]) -> NDArray[np.int64]:
    """The next places beyond tables of so many symbols."""
    if not len(count):
        return count.astype(np.int64)
    there = np.arange(NIBBLES) < coder.decode(LENGTH, len(count))[:, None]
    nibbles = np.zeros(there.shape, np.int64)
    nibbles[there] = coder.decode(NIBBLE, int(there.sum())) if there.any() else 0
    distances = (nibbles << SHIFTS).sum(1)
    return np.where(distances % 2, -(distances // 2) - 1, count + distances // 2)
