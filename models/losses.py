"""The objective of both stages: L = alpha * D + gamma * D_text + lambda * R + beta * L_ocr.

The paper's (TFIC, section III-B) has no D_text, which asks for the text as it was before color, light and camera.
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from models.codecs.base import CodecOutput
from models.recognizers.base import FrozenRecognizer


class LossWeights(NamedTuple):
    """The weights of one batch: each a number, or one number an image."""

    distortion: float | Float[Tensor, " b"]
    """alpha."""
    rate: float | Float[Tensor, " b"]
    """lambda, above 0."""
    ocr: float | Float[Tensor, " b"]
    """beta."""
    text: float = 0.0
    """gamma."""


class LossTerms(NamedTuple):
    """What the objective is made of, each term before its weight."""

    total: Float[Tensor, " b"]
    """L."""
    scaled: Float[Tensor, " b"]
    """L / (lambda + beta), or L / lambda without a recognizer, which is minimized: its gradients have about one size
    wherever in the plane, so that neither end of it owns a batch, and clipping treats all alike."""
    mse: Float[Tensor, " b"]
    bpp: Float[Tensor, " b"]
    ocr: Float[Tensor, " b"] | None
    """None where no image asks for it."""
    text: Float[Tensor, " b"] | None = None
    """Mean squared error from the clean renderings; None where gamma is 0."""


def objective(
    output: CodecOutput,
    images: Float[Tensor, "b 3 h w"],
    texts: list[str],
    recognizer: FrozenRecognizer | None,
    weights: LossWeights,
    reading_scale: float = 1.0,
    clean: Float[Tensor, "b 1 h w"] | None = None,
) -> LossTerms:
    """Every term and their weighted sum, one value an image; without a recognizer beta counts for nothing.

    Args:
        reading_scale: the size at which the recognizer reads, as a share of its own.
        clean: black text on white, 0 to 1; where gamma is above 0.
    """
    mse = mean_squared_error(output.x_hat, images)
    bpp = bits_per_pixel(output.likelihoods, images.shape[2] * images.shape[3])
    total = weights.distortion * mse + weights.rate * bpp
    text = None
    if weights.text:
        assert clean is not None, "gamma asks for clean renderings"
        text = mean_squared_error(output.x_hat, clean.expand_as(images))
        total = total + weights.text * text
    if recognizer is None:
        return LossTerms(total, total / weights.rate, mse, bpp, None, text)
    ocr = recognizer.loss(output.x_hat, texts, reading_scale)
    total = total + weights.ocr * ocr
    return LossTerms(total, total / (weights.rate + weights.ocr), mse, bpp, ocr, text)


def mean_squared_error(x_hat: Float[Tensor, "b c h w"], x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Over pixels and channels, which range from 0 to 1."""
    return (x_hat - x).square().mean((1, 2, 3))


def bits_per_pixel(likelihoods: dict[str, Float[Tensor, "b _c _h _w"]], pixels: int) -> Float[Tensor, " b"]:
    """Information content of the latents, estimated by the entropy model."""
    bits = [-values.log2().sum((1, 2, 3)) for values in likelihoods.values()]
    return sum(bits[1:], bits[0]) / pixels
