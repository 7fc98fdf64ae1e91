"""One codec for the whole plane of loss weights: modulated by (log lambda, log beta), folded back into plain ones."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.codecs.base import Codec, CodecOutput
from models.codecs.entropy_models import Prior
from models.errors import ModelError

HIDDEN = 64
"""Units of the modulating network's two layers."""
NARROWEST = 1e-4
"""Least width of a range in logarithms: float32's rounding of a weight would fill a narrower one."""

Convolution = nn.Conv2d | nn.ConvTranspose2d


class Condition(NamedTuple):
    """The loss weights that each image of a batch is coded for."""

    rate_weight: Float[Tensor, " b"]
    """lambda, above 0."""
    ocr_weight: Float[Tensor, " b"]
    """beta; 0 asks for the base codec, which knows rate and distortion alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """The rectangle of loss weights that a codec is conditioned on."""

    rate_weights: tuple[float, float]
    """lambda, low to high."""
    ocr_weights: tuple[float, float]
    """beta, low to high."""

    def features(self, condition: Condition) -> Float[Tensor, "b 3"]:
        """log lambda and log beta, from -1 to 1 over the rectangle, and 1; without OCR log lambda, 0 and 0.

        A weight that has one value is 0.
        """
        counts = (condition.ocr_weight > 0).to(condition.ocr_weight)
        beta = condition.ocr_weight.clamp(min=self.ocr_weights[0])
        return torch.stack(
            [_centered(condition.rate_weight, self.rate_weights), counts * _centered(beta, self.ocr_weights), counts], 1
        )

    def draw(self, images: int, device: torch.device, *, with_ocr: bool) -> Condition:
        """One condition an image, log-uniform over the rectangle; beta is 0 without OCR."""
        rate_weight = _log_uniform(images, self.rate_weights, device)
        if not with_ocr:
            return Condition(rate_weight, torch.zeros_like(rate_weight))
        return Condition(rate_weight, _log_uniform(images, self.ocr_weights, device))


class ConditionedCodec(nn.Module):
    """A codec each of whose convolutions is scaled and shifted by channel, as its condition asks.

    The idea is feature-wise modulation (Perez et al., "FiLM", AAAI 2018), used for variable rate since Choi et al.,
    "Variable rate deep image compression with a conditional autoencoder" (ICCV 2019). The factorized prior is
    scaled and shifted too. A fresh one equals its codec, whatever the condition. Scales and shifts of one condition are
    constant, so that `fold` gives a plain codec that costs nothing more.
    """

    def __init__(self, codec: Codec, plane: Plane) -> None:
        super().__init__()
        self.codec = codec
        self.plane = plane
        modules = cast("Iterator[tuple[str, nn.Module]]", codec.named_modules())
        self.layers = {name: layer for name, layer in modules if _is_modulated(layer)}
        """Layers that are modulated, by their names in the codec."""
        channels = [layer.out_channels for layer in self.layers.values()] + [codec.bottleneck.channels]
        self.splits = [2 * count for count in channels]
        """How the modulating network's outputs are shared out: log scales, then shifts, of each layer and the prior."""
        self.embedding = nn.Sequential(nn.Linear(3, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU())
        self.modulation = nn.Linear(HIDDEN, sum(self.splits))
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    @property
    def downsampling_factor(self) -> int:
        """Pixels a side of one element of the coarsest latent."""
        return self.codec.downsampling_factor

    def forward(self, x: Float[Tensor, "b 3 h w"], condition: Condition) -> CodecOutput:
        """The codec's pass over a batch, each image under its own condition."""
        *layers, prior = self._modulations(condition)
        hooks = [
            layer.register_forward_hook(_modulate(*modulation))
            for layer, modulation in zip(self.layers.values(), layers, strict=True)
        ]
        try:
            return self.codec(x, Prior(*prior))
        finally:
            for hook in hooks:
                hook.remove()

    def over(self, plane: Plane) -> "ConditionedCodec":
        """This codec, conditioned on other ranges; what it does at each lambda without OCR stays as it is."""
        (middle, half), (new_middle, new_half) = _span(self.plane.rate_weights), _span(plane.rate_weights)
        if half > NARROWEST / 2:
            first = self.embedding[0]
            assert isinstance(first, nn.Linear)
            with torch.no_grad():
                first.bias.add_(first.weight[:, 0], alpha=(new_middle - middle) / half)
                first.weight[:, 0].mul_(new_half / half)
        self.plane = plane
        return self

    def update_tables(self) -> None:
        """Nothing: only a folded codec writes files."""

    @torch.no_grad()
    def fold(self, rate_weight: float, ocr_weight: float) -> Codec:
        """The plain codec of one condition, in evaluation mode and ready to compress.

        Its outputs are the conditioned codec's within float error. `ocr_weight` 0 gives the base codec.

        Raises:
            ModelError: there it computes nothing.
        """
        # In float64, for a dial folds anew on each machine, and the coding tables must be the same on all.
        network = copy.deepcopy(self).double()
        weights = next(network.parameters()).new_tensor([[rate_weight], [ocr_weight]])
        *layers, prior = network._modulations(Condition(*weights))
        folded = network.codec.eval()
        for name, (scale, shift) in zip(self.layers, layers, strict=True):
            layer = folded.get_submodule(name)
            assert isinstance(layer, Convolution)
            _fold(layer, scale[0], shift[0])
        folded.bottleneck.fold(Prior(*(value[0] for value in prior)))
        if not all(weight.float().isfinite().all() for weight in folded.parameters()):
            raise ModelError(
                f"at lambda {rate_weight:.3g} and beta {ocr_weight:.3g} the codec has diverged; use another"
            )
        folded.update_tables()
        return folded.float()

    def _modulations(self, condition: Condition) -> list[tuple[Float[Tensor, "b _c"], Float[Tensor, "b _c"]]]:
        """Scale and shift of each convolution's channels, then of the prior's."""
        pairs = self.modulation(self.embedding(self.plane.features(condition))).split(self.splits, 1)
        return [(log_scale.exp(), shift) for log_scale, shift in (pair.chunk(2, 1) for pair in pairs)]


def _is_modulated(module: nn.Module) -> TypeGuard[Convolution]:
    return isinstance(module, Convolution) and module.bias is not None


def _modulate(scale: Float[Tensor, "b c"], shift: Float[Tensor, "b c"]) -> Callable[..., Tensor]:
    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return torch.addcmul(shift[:, :, None, None].to(output), output, scale[:, :, None, None].to(output))

    return hook


def _fold(layer: Convolution, scale: Float[Tensor, " c"], shift: Float[Tensor, " c"]) -> None:
    """Scales and shifts what the layer gives by changing its weights."""
    assert layer.bias is not None, "only layers with a bias are modulated"
    layer.bias.mul_(scale).add_(shift)
    if isinstance(layer, nn.Conv2d):
        layer.weight.mul_(scale[:, None, None, None])
    else:
        # Its weight has inputs first, then the outputs of their group.
        by_group = scale.reshape(layer.groups, 1, -1, 1, 1)
        grouped = torch.unflatten(layer.weight, 0, (layer.groups, -1))
        layer.weight.copy_((grouped * by_group).flatten(0, 1))


def _centered(value: Float[Tensor, " b"], bounds: tuple[float, float]) -> Float[Tensor, " b"]:
    middle, half = _span(bounds)
    if half < NARROWEST / 2:
        return torch.zeros_like(value)
    return (value.log() - middle) / half


def _span(bounds: tuple[float, float]) -> tuple[float, float]:
    """Middle and half width of a range in logarithms."""
    low, high = map(math.log, bounds)
    return (low + high) / 2, (high - low) / 2


def _log_uniform(count: int, bounds: tuple[float, float], device: torch.device) -> Float[Tensor, " b"]:
    low, high = map(math.log, bounds)
    return (low + (high - low) * torch.rand(count, device=device)).exp()
