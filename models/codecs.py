"""Image codecs by name: x -> y, z -> bytes -> x_hat, with CompressAI's entropy models."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyBottleneck, EntropyModel, GaussianConditional
from compressai.models import MeanScaleHyperprior as Reference
from compressai.models.base import CompressionModel, get_scale_table
from jaxtyping import Float, Int
from torch import Tensor, nn

from models import small as transforms
from models.errors import ModelError

LARGEST_SCALE = 64
"""Of a latent's Gaussian. Four times less than CompressAI's: the coder's tables shrink with it, and symbols
beyond them are still coded, by escape."""


class CodecOutput(NamedTuple):
    """What one forward pass gives."""

    x_hat: Float[Tensor, "b 3 h w"]
    """Reconstruction; about 0 to 1, not clamped."""
    likelihoods: dict[str, Float[Tensor, "b _c _h _w"]]
    """Probability of each element of the latents `y` and `z`."""


class Prior(NamedTuple):
    """How the prior of z is stretched and moved: its cumulative at z is the plain one's at scale * z + shift."""

    scale: Float[Tensor, "*b c"]
    shift: Float[Tensor, "*b c"]


class Bottleneck(EntropyBottleneck):
    """CompressAI's factorized prior of z, which may differ from image to image by a `Prior`."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self._prior: Prior | None = None
        # `update_tables` finds the quantiles by bisection, so that they need no loss of their own.
        self.quantiles.requires_grad_(False)

    def under(self, prior: Prior | None, z: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
        """Noisy or rounded z and its likelihoods, in float32; None is the plain prior."""
        self._prior = prior
        try:
            with torch.autocast(z.device.type, enabled=False):
                return self(z.float())
        finally:
            self._prior = None

    def _logits_cumulative(self, inputs: Float[Tensor, "c 1 _n"], stop_gradient: bool) -> Float[Tensor, "c 1 _n"]:
        if self._prior is not None:
            scale, shift = (_by_element(value, inputs) for value in self._prior)
            inputs = inputs * scale + shift
        return super()._logits_cumulative(inputs, stop_gradient)

    def fold(self, prior: Prior) -> None:
        """Makes the prior of one image everyone's, by changing the first layer's weights."""
        matrix, bias = self.matrices[0], self.biases[0]
        slope = F.softplus(matrix)
        bias.add_(slope * prior.shift[:, None, None])
        stretched = slope * prior.scale[:, None, None]
        # The inverse of softplus, written so that steep slopes do not overflow.
        matrix.copy_(stretched + stretched.neg().expm1().neg().log())


class MeanScaleHyperprior(CompressionModel):
    """Minnen et al., "Joint autoregressive and hierarchical priors for learned image compression" (NeurIPS
    2018), without the autoregressive part.

    Its transforms may run in bfloat16 under autocast; its entropy models always run in float32. In training the
    synthesis sees y rounded, with the gradient of no rounding, and the entropy models see noise instead (Minnen and
    Singh, "Channel-wise autoregressive entropy models", ICIP 2020). Latents y and z share one entropy-coded stream.
    """

    def __init__(
        self, *, g_a: nn.Module, g_s: nn.Module, h_a: nn.Module, h_s: nn.Module, N: int, downsampling_factor: int = 64
    ) -> None:
        """`N` is the number of z's channels, `downsampling_factor` the pixels a side of one of its elements."""
        super().__init__()
        self.g_a, self.g_s, self.h_a, self.h_s = g_a, g_s, h_a, h_s
        self.entropy_bottleneck = Bottleneck(N)
        self.z_channels = N
        self.gaussian_conditional = GaussianConditional(None)
        self.downsampling_factor = downsampling_factor
        self.gaussian_conditional.forward = _in_float32(self.gaussian_conditional.forward)

    def forward(self, x: Float[Tensor, "b 3 h w"], prior: Prior | None = None) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_bottleneck.under(prior, self.h_a(y))
        scales, means = self.h_s(z_hat).chunk(2, 1)
        y_hat, y_likelihoods = self.gaussian_conditional(y, scales, means=means)
        if self.training:
            y_hat = _rounded((y - means).float()) + means
        return CodecOutput(self.g_s(y_hat).float(), {"y": y_likelihoods, "z": z_likelihoods})

    def update_tables(self) -> None:
        """Prepares the entropy coder for the present weights; needed once after training, before `compress`."""
        self.update(get_scale_table(max=LARGEST_SCALE), force=True, update_quantiles=True)

    @torch.no_grad()
    def compress(self, x: Float[Tensor, "1 3 h w"]) -> bytes:
        """The entropy-coded latents of one image."""
        encoder = BufferedRansEncoder()
        y = self.g_a(x)
        medians = self._medians()
        z_symbols = (self.h_a(y) - medians).round()
        encoder.encode_with_indexes(*_flat(z_symbols, _channel_indexes(z_symbols)), *self._z_tables)
        scales, means = self._gaussians(z_symbols + medians)
        y_symbols = (y - means).round()
        encoder.encode_with_indexes(*_flat(y_symbols, self.gaussian_conditional.build_indexes(scales)), *self._y_tables)
        return _trimmed(encoder.flush())

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of `downsampling_factor`."""
        decoder = RansDecoder()
        decoder.set_stream(_whole(stream))
        medians = self._medians()
        factor = self.downsampling_factor
        z_indexes = _channel_indexes(medians.expand(1, -1, height // factor, width // factor))
        z_hat = _decode(decoder, z_indexes, self._z_tables) + medians
        scales, means = self._gaussians(z_hat)
        y_indexes = self.gaussian_conditional.build_indexes(scales)
        return self.g_s(_decode(decoder, y_indexes, self._y_tables) + means).clamp(0, 1)

    def _gaussians(self, z_hat: Float[Tensor, "1 c h w"]) -> tuple[Tensor, Tensor]:
        """Scales and means of y, to the last bit the same for the encoder and the decoder: one memory layout."""
        scales, means = self.h_s(z_hat.contiguous()).chunk(2, 1)
        return scales, means

    def _medians(self) -> Float[Tensor, "1 c 1 1"]:
        return self.entropy_bottleneck.quantiles[:, 0, 1].detach().reshape(1, -1, 1, 1)

    @property
    def _z_tables(self) -> tuple[list, list, list]:
        return _tables(self.entropy_bottleneck)

    @property
    def _y_tables(self) -> tuple[list, list, list]:
        return _tables(self.gaussian_conditional)


def small() -> MeanScaleHyperprior:
    """Trains on two cores: see `models/small.py`."""
    M, N = 96, 64
    return MeanScaleHyperprior(
        g_a=transforms.analysis(M),
        g_s=transforms.synthesis(M),
        h_a=transforms.hyper_analysis(M, N),
        h_s=transforms.hyper_synthesis(M, N),
        N=N,
    )


def mbt2018_mean() -> MeanScaleHyperprior:
    """7.03 M parameters: CompressAI's size for its five lower rates, with its layers and their names."""
    N, M = 128, 192
    reference = Reference(N, M)
    return MeanScaleHyperprior(g_a=reference.g_a, g_s=reference.g_s, h_a=reference.h_a, h_s=reference.h_s, N=N)


Codec = MeanScaleHyperprior
"""What every codec of this module offers."""

CODECS: dict[str, Callable[[], Codec]] = {"small": small, "mbt2018-mean": mbt2018_mean}


def build(name: str) -> MeanScaleHyperprior:
    """A fresh codec; its weights follow torch's global random state.

    Raises:
        ModelError: no codec has that name.
    """
    if name not in CODECS:
        raise ModelError(f"no codec is called {name!r}; there is {', '.join(CODECS)}")
    return CODECS[name]()


WORD = 4
"""Bytes by which the coder writes; its first two words are its state, the high one second."""


def _trimmed(stream: bytes) -> bytes:
    """Without the zero bytes that the coder's state ends with: three at most, so that the length tells how many."""
    head, tail = stream[: 2 * WORD], stream[2 * WORD :]
    return head[: WORD + 1] + head[WORD + 1 :].rstrip(b"\0") + tail


def _whole(stream: bytes) -> bytes:
    """Undoes `_trimmed`."""
    zeros = -len(stream) % WORD
    return stream[: 2 * WORD - zeros] + bytes(zeros) + stream[2 * WORD - zeros :]


def _rounded(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Rounds; the gradient passes as if it had not."""
    return values + (values.round() - values).detach()


def _in_float32(forward: Callable) -> Callable:
    """bfloat16 rounds likelihoods near 1 to 1 and their bits to 0: entropy models leave autocast."""

    @functools.wraps(forward)
    def in_float32(x: Tensor, *args: Tensor, **kwargs: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(x.device.type, enabled=False):
            return forward(x.float(), *(a.float() for a in args), **{k: a.float() for k, a in kwargs.items()})

    return in_float32


def _by_element(values: Float[Tensor, "b c"], inputs: Float[Tensor, "c 1 n"]) -> Float[Tensor, "c 1 n"]:
    """A value an image and channel, repeated for the image's elements; images follow one another."""
    return values.t().unsqueeze(1).repeat_interleave(inputs.shape[2] // values.shape[0], 2)


def _channel_indexes(latents: Float[Tensor, "1 c h w"]) -> Int[Tensor, "1 c h w"]:
    """Each element's table is its channel's."""
    return torch.arange(latents.shape[1], device=latents.device).reshape(1, -1, 1, 1).expand(latents.shape)


def _flat(symbols: Tensor, indexes: Tensor) -> tuple[list[int], list[int]]:
    return symbols.int().flatten().tolist(), indexes.flatten().tolist()


def _decode(decoder: RansDecoder, indexes: Int[Tensor, "1 c h w"], tables: tuple) -> Float[Tensor, "1 c h w"]:
    symbols = decoder.decode_stream(indexes.flatten().tolist(), *tables)
    return torch.tensor(symbols, dtype=torch.float32, device=indexes.device).reshape(indexes.shape)


def _tables(model: EntropyModel) -> tuple[list, list, list]:
    tables = [model.get_buffer(name) for name in ("_quantized_cdf", "_cdf_length", "_offset")]
    if not all(table.numel() for table in tables):
        raise ModelError("the codec's coding tables are empty; call update_tables() after training")
    cdf, length, offset = (table.tolist() for table in tables)
    return cdf, length, offset
