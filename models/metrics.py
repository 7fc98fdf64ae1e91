"""How well a text was read and an image kept."""

import statistics
from collections.abc import Iterable

from jaxtyping import Float
from rapidfuzz.distance import Levenshtein
from torch import Tensor


def accuracy(read: str, truth: str) -> float:
    """Share of characters read correctly, 0 to 1 (TFIC, section IV-A).

    One minus the edit distance over the longer text's length. Alphanumeric characters count; both empty is 1.
    """
    return Levenshtein.normalized_similarity(alphanumeric(read), alphanumeric(truth))


def mean_accuracy(read: Iterable[str], truth: Iterable[str]) -> float:
    """Mean accuracy over a set of images."""
    return statistics.fmean(accuracy(r, t) for r, t in zip(read, truth, strict=True))


def character_error_rate(read: Iterable[str], truth: Iterable[str]) -> float:
    """Edits that turn what was read into the truth, per character of the truth; all characters count."""
    pairs = list(zip(read, truth, strict=True))
    return sum(Levenshtein.distance(r, t) for r, t in pairs) / max(1, sum(len(t) for _, t in pairs))


def alphanumeric(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


def psnr_db(image: Float[Tensor, "*b c h w"], reference: Float[Tensor, "*b c h w"]) -> Float[Tensor, "*b"]:
    """Peak signal-to-noise ratio of images with pixels from 0 to 1, dB."""
    return -10 * (image - reference).square().mean((-3, -2, -1)).clamp(min=1e-10).log10()
