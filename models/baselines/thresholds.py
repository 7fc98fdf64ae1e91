"""Images of a few greys: ink and ground by Otsu's or Sauvola's threshold, or four levels; dark ink on light ground."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

Threshold = Callable[[UInt8[NDArray[Any], "h w"]], Bool[NDArray[Any], "h w"]]
"""Grey pixels -> which of them are dark."""
WINDOW = 0.5
"""Side of Sauvola's window as a share of the image's height."""
SAUVOLA_K, SAUVOLA_R = 0.2, 128.0
"""Sauvola and Pietikainen, Adaptive document image binarization (Pattern Recognition 33, 2000)."""
LEVELS = 4
TAILS = (2, 98)
"""Percentiles of the greys that become black and white."""


def otsu(grey: UInt8[NDArray[Any], "h w"]) -> Bool[NDArray[Any], "h w"]:
    """Dark pixels by one threshold, which parts the histogram best (Otsu, 1979)."""
    return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1] == 0


def sauvola(grey: UInt8[NDArray[Any], "h w"]) -> Bool[NDArray[Any], "h w"]:
    """Ink, dark or light, by mean and deviation of its surroundings."""
    side = max(3, round(WINDOW * len(grey)) | 1)
    values = grey.astype(np.float32)
    mean = cv2.blur(values, (side, side))
    deviation = np.sqrt(np.maximum(cv2.blur(values * values, (side, side)) - mean * mean, 0))
    # Ink is far from its surroundings, and little. Light ink is only found as dark ink of the negative.
    if ((values - mean) ** 3).sum() > 0:
        values, mean = 255 - values, 255 - mean
    return values < mean * (1 + SAUVOLA_K * (deviation / SAUVOLA_R - 1))


def ink(grey: UInt8[NDArray[Any], "h w"], threshold: Threshold) -> Bool[NDArray[Any], "h w"]:
    """Which pixels are ink: the fewer side of a threshold, be the text dark or light."""
    dark = threshold(grey)
    return ~dark if dark.mean() > 0.5 else dark


def four_levels(grey: UInt8[NDArray[Any], "h w"]) -> UInt8[NDArray[Any], "h w"]:
    """Greys stretched to the whole range and rounded to the levels 0 to 3; ink, the fewer side of Otsu's, is dark."""
    low, high = np.percentile(grey, TAILS)
    stretched = np.clip((grey - low) / max(high - low, 1), 0, 1)
    light_ink = otsu(grey).mean() > 0.5
    shares: NDArray[np.float64] = 1 - stretched if light_ink else stretched
    return np.round((LEVELS - 1) * shares).astype(np.uint8)
