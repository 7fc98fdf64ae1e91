"""The text in a .tfic file."""

from models.errors import ModelError
from models.files import tfic
from models.files.model import Model
from models.recognizers.base import FrozenRecognizer

LONGEST = 1000
"""Heights of a line that is read: a recognizer scales it to its own height, and takes memory by the width then."""


def text(model: Model, data: bytes, recognizer: FrozenRecognizer, source: str) -> str:
    """What a recognizer reads in a file.

    Args:
        source: what errors call the file.

    Raises:
        FormatError: as `tfic.decode`.
        ModelError: the image is too long to be a line of text.
    """
    image = tfic.rgb(tfic.decode(model, data))
    height, width = image.shape[:2]
    if width > LONGEST * height:
        raise ModelError(f"{source}: {width}x{height} pixels are no line of text; cut the image up")
    [read] = recognizer.read(tfic.to_float(image))
    return read.text
