"""The text in an image that was compressed."""

from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from numpy.typing import NDArray

from models.errors import ModelError
from models.files import pixels
from models.files.model import Model
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from models.recognizers.base import FrozenRecognizer

LONGEST = 1000
"""Heights of a line that is read: a recognizer scales it to its own height, and takes memory by the width then."""


def recognizer(model: Model, weights: Path | None = None, own: str | None = None) -> FrozenRecognizer:
    """The (first) recognizer that trained a model.

    Args:
        weights: its checkpoint, where it needs one.
        own: its `module:function`, where it is a user's.

    Raises:
        ModelError: it is another one, or its weights are.
    """
    return recognizers.load_identified(ensemble.reading(model.recognizer_name), weights, own)


def text(image: UInt8[NDArray[Any], "h w *_c"], recognizer: FrozenRecognizer, source: str) -> str:
    """What a recognizer reads in an image.

    Args:
        source: what errors call the image.

    Raises:
        ModelError: the image is too long to be a line of text.
    """
    height, width = image.shape[:2]
    if width > LONGEST * height:
        raise ModelError(f"{source}: {width}x{height} pixels are no line of text; cut the image up")
    [read] = recognizer.read(pixels.to_float(pixels.rgb(image)))
    return read.text
