"""Image codecs by name: x -> y, z -> bytes -> x_hat, with CompressAI's entropy models."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import EntropyModel
from compressai.models import MeanScaleHyperprior as Reference
from compressai.models.base import CompressionModel, get_scale_table
from jaxtyping import Float, Int
from torch import Tensor

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


class MeanScaleHyperprior(CompressionModel):
    """Minnen et al., "Joint autoregressive and hierarchical priors for learned image compression" (NeurIPS
    2018), without the autoregressive part.

    Its layers and their names are those of CompressAI's `mbt2018-mean`. Its transforms may run in bfloat16 under
    autocast; its entropy models always run in float32. Latents y and z share one entropy-coded stream.
    """

    def __init__(self, N: int, M: int) -> None:
        super().__init__()
        reference = Reference(N, M)
        self.g_a, self.g_s = reference.g_a, reference.g_s
        self.h_a, self.h_s = reference.h_a, reference.h_s
        self.entropy_bottleneck = reference.entropy_bottleneck
        self.gaussian_conditional = reference.gaussian_conditional
        self.downsampling_factor = reference.downsampling_factor
        """Pixels a side of one element of z."""
        for module in self.modules():
            if isinstance(module, EntropyModel):
                module.forward = _in_float32(module.forward)

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> CodecOutput:
        """Noise stands for rounding in training mode. h and w are multiples of `downsampling_factor`."""
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_bottleneck(self.h_a(y))
        scales, means = self.h_s(z_hat).chunk(2, 1)
        y_hat, y_likelihoods = self.gaussian_conditional(y, scales, means=means)
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
        scales, means = self.h_s(z_symbols + medians).chunk(2, 1)
        y_symbols = (y - means).round()
        encoder.encode_with_indexes(*_flat(y_symbols, self.gaussian_conditional.build_indexes(scales)), *self._y_tables)
        return encoder.flush()

    @torch.no_grad()
    def decompress(self, stream: bytes, height: int, width: int) -> Float[Tensor, "1 3 h w"]:
        """The reconstruction, clamped to 0..1. `height` and `width` are multiples of `downsampling_factor`."""
        decoder = RansDecoder()
        decoder.set_stream(stream)
        medians = self._medians()
        factor = self.downsampling_factor
        z_indexes = _channel_indexes(medians.expand(1, -1, height // factor, width // factor))
        z_hat = _decode(decoder, z_indexes, self._z_tables) + medians
        scales, means = self.h_s(z_hat).chunk(2, 1)
        y_indexes = self.gaussian_conditional.build_indexes(scales)
        return self.g_s(_decode(decoder, y_indexes, self._y_tables) + means).clamp(0, 1)

    def _medians(self) -> Float[Tensor, "1 c 1 1"]:
        return self.entropy_bottleneck.quantiles[:, 0, 1].detach().reshape(1, -1, 1, 1)

    @property
    def _z_tables(self) -> tuple[list, list, list]:
        return _tables(self.entropy_bottleneck)

    @property
    def _y_tables(self) -> tuple[list, list, list]:
        return _tables(self.gaussian_conditional)


def small() -> MeanScaleHyperprior:
    """1.76 M parameters: trains on two cores."""
    return MeanScaleHyperprior(N=64, M=96)


def mbt2018_mean() -> MeanScaleHyperprior:
    """7.03 M parameters: CompressAI's size for its five lower rates."""
    return MeanScaleHyperprior(N=128, M=192)


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


def _in_float32(forward: Callable) -> Callable:
    """bfloat16 rounds likelihoods near 1 to 1 and their bits to 0: entropy models leave autocast."""

    @functools.wraps(forward)
    def in_float32(x: Tensor, *args: Tensor, **kwargs: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(x.device.type, enabled=False):
            return forward(x.float(), *(a.float() for a in args), **{k: a.float() for k, a in kwargs.items()})

    return in_float32


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
