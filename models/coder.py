"""The entropy coder: latents -> one stream of bytes, and back."""

from itertools import groupby
from typing import NamedTuple

import torch
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyModel
from jaxtyping import Float, Int
from torch import Tensor

from models.errors import FormatError, ModelError

WORD = 4
"""Bytes by which the coder writes; its first two words are its state, the high one second."""
AFTER = 0x11
"""Each byte that follows a stream: not 0, of which a state that took too much would be full too, and in halves that end
an escape soon."""
END_TABLE, END = [0, 1, 0x1111, 0x1112, 0xFFFF, 0x10000], [0, 2, 2]
"""A table for 16 bits of the coder's state, and what it reads at the end: zeros, then what follows the stream."""
BEYOND = 8
"""Bytes a pixel that a coder may ask for beyond its stream: at most a word for a latent that its table holds, of which
there are fewer than two a pixel."""
ESCAPED = 16
"""Bytes more for each of its own: in what is too rare for a table, half a byte of 15 says that 15 others follow."""


class Latent(NamedTuple):
    """What is written of a latent."""

    symbols: Float[Tensor, "1 _c _h _w"]
    """Whole numbers."""
    indexes: Int[Tensor, "1 _c _h _w"]
    """Of each one's table."""
    model: EntropyModel
    """Whose tables they are."""


def encode(*latents: Latent) -> bytes:
    """One stream of several latents.

    Raises:
        ModelError: a model's tables were not prepared.
    """
    encoder = BufferedRansEncoder()
    # The tables, which cost more to hand over than most latents, are handed over once for all that follow one another.
    for model, together in groupby(latents, key=lambda latent: latent.model):
        parts = [(symbols.int().flatten(), indexes.flatten()) for symbols, indexes, _ in together]
        symbols, indexes = (torch.cat(values).tolist() for values in zip(*parts, strict=True))
        encoder.encode_with_indexes(symbols, indexes, *_tables(model))
    return _trimmed(encoder.flush())


class Decoder:
    """Gives back the latents of a stream, in their order."""

    def __init__(self, stream: bytes, pixels: int) -> None:
        """`pixels` is the image's size."""
        self._decoder = RansDecoder()
        # Where it is read as it was not written, the coder looks for more, and not where the memory ends.
        beyond = BEYOND * pixels + ESCAPED * len(stream)
        self._decoder.set_stream(_whole(stream) + bytes([AFTER]) * beyond)
        self._tables: dict[EntropyModel, tuple[list, list, list]] = {}

    def take(self, indexes: Int[Tensor, "1 c h w"], model: EntropyModel) -> Float[Tensor, "1 c h w"]:
        """The next latents, as many as there are indexes."""
        if model not in self._tables:
            self._tables[model] = _tables(model)
        # Each table is copied on its way to the coder: only those that are asked for.
        asked, places = indexes.unique(return_inverse=True)
        tables = ([column[index] for index in asked.tolist()] for column in self._tables[model])
        symbols = self._decoder.decode_stream(places.flatten().tolist(), *tables)
        return torch.tensor(symbols).to(indexes.device, torch.float32).reshape(indexes.shape)

    def close(self) -> None:
        """Looks whether the latents are those that were coded, once all are taken.

        Coding starts from a state of 2**31, which decoding comes back to: its lower 16 bits are 0, and those read next
        follow the stream. Whatever else was decoded ends in any state, in one of 65,536 times in such a one.

        Raises:
            FormatError: they are not.
        """
        if self._decoder.decode_stream([0] * len(END), [END_TABLE], [len(END_TABLE)], [0]) != END:
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


def _tables(model: EntropyModel) -> tuple[list, list, list]:
    """Cumulative frequencies without the padding that makes them one tensor, their lengths, and least symbols."""
    tables = [model.get_buffer(name) for name in ("_quantized_cdf", "_cdf_length", "_offset")]
    if not all(table.numel() for table in tables):
        raise ModelError("the codec's coding tables are empty; call update_tables() after training")
    cdf, length, offset = (table.cpu().numpy() for table in tables)
    # As rows of NumPy: most of what pads them would else be converted only to be cut off.
    return [row[:count].tolist() for row, count in zip(cdf, length, strict=True)], length.tolist(), offset.tolist()
