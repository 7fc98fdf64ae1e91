"""CompressAI's entropy models, with a prior that may differ from image to image, and the coder of their symbols."""

import zlib
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

import torch
import torch.nn.functional as F
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyBottleneck, EntropyModel, GaussianConditional
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call

from models.errors import FormatError, ModelError

WORD = 4
"""Bytes by which the coder writes; its first two words are its state, the high one second."""
CHECK_BYTES = 2
"""At a stream's end: over its symbols."""
BEYOND = 8
"""Bytes a pixel that a coder may ask for beyond its stream: at most a word for a latent, of which there are fewer than
two a pixel."""


class Prior(NamedTuple):
    """How the factorized prior is stretched and moved: its cumulative at z is the plain one's at scale * z + shift."""

    scale: Float[Tensor, "*b c"]
    shift: Float[Tensor, "*b c"]


class Latent(NamedTuple):
    """What is written of a latent."""

    symbols: Float[Tensor, "1 _c _h _w"]
    """Whole numbers."""
    indexes: Int[Tensor, "1 _c _h _w"]
    """Of each one's table."""
    model: EntropyModel
    """Whose tables they are."""


class Bottleneck(EntropyBottleneck):
    """CompressAI's factorized prior of a latent, which may differ from image to image by a `Prior`."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self._prior: Prior | None = None
        # `update` finds the quantiles by bisection, so that they need no loss of their own.
        self.quantiles.requires_grad_(False)

    def forward(self, x: Float[Tensor, "b c h w"], training: bool | None = None) -> tuple[Tensor, Tensor]:
        """As CompressAI's, which waits for the GPU to say how dimensions are exchanged."""
        training = self.training if training is None else training
        channels = x.transpose(0, 1)
        values = channels.flatten(1).unsqueeze(1)
        outputs = self.quantize(values, "noise" if training else "dequantize", self._get_medians())
        likelihoods = self.likelihood_lower_bound(self._likelihood(outputs)[0])
        outputs, likelihoods = (
            value.reshape(channels.shape).transpose(0, 1).contiguous() for value in (outputs, likelihoods)
        )
        return outputs, likelihoods

    def under(self, prior: Prior | None, z: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
        """Noisy or rounded z and its likelihoods, in float32; None is the plain prior."""
        self._prior = prior
        try:
            with torch.autocast(z.device.type, enabled=False):
                return self(z.float())
        finally:
            self._prior = None

    def fold(self, prior: Prior) -> None:
        """Makes the prior of one image everyone's, by changing the first layer's weights."""
        matrix, bias = self.matrices[0], self.biases[0]
        slope = F.softplus(matrix)
        bias.add_(slope * prior.shift[:, None, None])
        stretched = slope * prior.scale[:, None, None]
        # The inverse of softplus, written so that steep slopes do not overflow.
        matrix.copy_(stretched + stretched.neg().expm1().neg().log())

    @property
    def medians(self) -> Float[Tensor, "1 c 1 1"]:
        """What z is rounded about."""
        return self.quantiles[:, 0, 1].detach().reshape(1, -1, 1, 1)

    def coded(self, z: Float[Tensor, "1 c h w"]) -> Latent:
        """z as it is written."""
        return Latent((z - self.medians).round(), self.build_indexes(z), self)

    def decoded(self, decoder: "Decoder", height: int, width: int) -> Float[Tensor, "1 c h w"]:
        """z_hat, the next latent of a stream."""
        return decoder.take(self.build_indexes(self.medians.expand(1, -1, height, width)), self) + self.medians

    def build_indexes(self, z: Float[Tensor, "1 c h w"]) -> Int[Tensor, "1 c h w"]:
        """Each element's table: its channel's."""
        return torch.arange(z.shape[1], device=z.device).reshape(1, -1, 1, 1).expand(z.shape)

    def _logits_cumulative(self, inputs: Float[Tensor, "c 1 _n"], stop_gradient: bool) -> Float[Tensor, "c 1 _n"]:
        inputs = inputs.to(self.matrices[0].dtype)
        if self._prior is not None:
            scale, shift = (_by_element(value, inputs) for value in self._prior)
            inputs = inputs * scale + shift
        return super()._logits_cumulative(inputs, stop_gradient)


class Gaussian(GaussianConditional):
    """CompressAI's Gaussians of y, in float32: bfloat16 rounds likelihoods near 1 to 1 and their bits to 0."""

    def __init__(self) -> None:
        super().__init__(None)

    def given(
        self, y: Float[Tensor, "b c h w"], scales: Float[Tensor, "b c h w"], means: Float[Tensor, "b c h w"]
    ) -> tuple[Tensor, Tensor]:
        """Noisy or rounded y and its likelihoods."""
        with torch.autocast(y.device.type, enabled=False):
            y_hat, likelihoods = self(y.float(), scales.float(), means.float())
        return y_hat, likelihoods.float()

    def coded(
        self, y: Float[Tensor, "1 c h w"], scales: Float[Tensor, "1 c h w"], means: Float[Tensor, "1 c h w"]
    ) -> Latent:
        """y as it is written."""
        return Latent((y - means).round(), self.build_indexes(scales), self)

    def decoded(
        self, decoder: "Decoder", scales: Float[Tensor, "1 c h w"], means: Float[Tensor, "1 c h w"]
    ) -> Float[Tensor, "1 c h w"]:
        """y_hat, the next latent of a stream."""
        return decoder.take(self.build_indexes(scales), self) + means

    def build_indexes(self, scales: Float[Tensor, "1 c h w"]) -> Int[Tensor, "1 c h w"]:
        """Each element's table: the first whose scale is not below its own."""
        return torch.bucketize(self.lower_bound_scale(scales).contiguous(), self.scale_table[:-1])

    def _standardized_cumulative(self, inputs: Float[Tensor, "*_n"]) -> Float[Tensor, "*_n"]:
        # Coding tables are made of it, in evaluation mode.
        return super()._standardized_cumulative(inputs if self.training else inputs.double())


def exactly(network: nn.Module, x: Float[Tensor, "*b c h w"]) -> Float[Tensor, "*b _c _h _w"]:
    """What a network gives, computed in float64 and in one memory layout.

    Sums then differ by 1e-15 between machines, threads and precisions: a table is chosen by them as if they did not.
    """
    weights = {name: value.double() for name, value in network.state_dict().items()}
    with torch.autocast(x.device.type, enabled=False):
        return functional_call(network, weights, x.double().contiguous()).float()


def encode(*latents: Latent) -> bytes:
    """One stream of several latents, and what tells whether they were decoded as they were coded.

    Raises:
        ModelError: a model's tables were not prepared.
    """
    encoder = BufferedRansEncoder()
    # The tables, which cost more to hand over than most latents, are handed over once for all that follow one another.
    for model, together in groupby(latents, key=lambda latent: latent.model):
        parts = [(symbols.int().flatten(), indexes.flatten()) for symbols, indexes, _ in together]
        symbols, indexes = (torch.cat(values).tolist() for values in zip(*parts, strict=True))
        encoder.encode_with_indexes(symbols, indexes, *_tables(model))
    return _trimmed(encoder.flush()) + _check(latent.symbols for latent in latents)


class Decoder:
    """Gives back the latents of a stream, in their order."""

    def __init__(self, stream: bytes, pixels: int) -> None:
        """`pixels` is the image's size."""
        self._decoder = RansDecoder()
        # Where it is read as it was not written, the coder looks for more.
        self._decoder.set_stream(_whole(stream[:-CHECK_BYTES]) + bytes(BEYOND * pixels))
        self._expected = stream[-CHECK_BYTES:]
        self._symbols: list[Tensor] = []
        self._tables: dict[EntropyModel, tuple[list, list, list]] = {}

    def take(self, indexes: Int[Tensor, "1 c h w"], model: EntropyModel) -> Float[Tensor, "1 c h w"]:
        """The next latents, as many as there are indexes."""
        if model not in self._tables:
            self._tables[model] = _tables(model)
        # Each table is copied on its way to the coder: only those that are asked for.
        asked, places = indexes.unique(return_inverse=True)
        tables = ([column[index] for index in asked.tolist()] for column in self._tables[model])
        symbols = self._decoder.decode_stream(places.flatten().tolist(), *tables)
        self._symbols.append(torch.tensor(symbols))
        return self._symbols[-1].to(indexes.device, torch.float32).reshape(indexes.shape)

    def close(self) -> None:
        """Looks whether the latents are those that were coded, once all are taken.

        Raises:
            FormatError: they are not.
        """
        if _check(self._symbols) != self._expected:
            raise FormatError(
                "the file was decoded to other latents than were coded: its bytes are damaged, or this machine "
                "computes otherwise than the one that wrote it; decode it there"
            )


def _check(symbols: Iterable[Tensor]) -> bytes:
    content = b"".join(values.int().cpu().numpy().tobytes() for values in symbols)
    return zlib.crc32(content).to_bytes(4)[-CHECK_BYTES:]


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
    cdf, length, offset = (table.tolist() for table in tables)
    return [row[:count] for row, count in zip(cdf, length, strict=True)], length, offset


def _by_element(values: Float[Tensor, "b c"], inputs: Float[Tensor, "c 1 n"]) -> Float[Tensor, "c 1 n"]:
    """A value an image and channel, repeated for the image's elements; images follow one another."""
    each = inputs.shape[2] // values.shape[0]
    return values.t().unsqueeze(2).expand(-1, -1, each).flatten(1).unsqueeze(1)
