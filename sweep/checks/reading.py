"""Whether the recognizer's weights load, and read."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from models.errors import ModelError
from models.metrics import accuracy
from models.recognizers import ensemble
from models.recognizers.ensemble import RecognizerConfig
from sweep.checks.finding import Finding

WORD = "weather"
"""Letters that every recognizer knows; none looks like another one's capital or a digit."""
SIZE = (256, 64)


def recognizer(wanted: Sequence[RecognizerConfig]) -> Finding:
    """Loads the recognizers of a sweep, and has the first one read a word in black on white."""
    names = " and ".join(each.name for each in wanted)
    try:
        reader = ensemble.load(tuple(wanted))
    except ModelError as error:
        return Finding("FAIL", "recognizer", f"{names}: {error}")
    with torch.inference_mode():
        read = reader.read(_drawn(WORD))[0].text
    if accuracy(read.lower(), WORD) == 1:
        return Finding("ok", "recognizer", f"{names} reads {WORD!r} rightly")
    said = f"{names} reads {read!r} where {WORD!r} is drawn"
    if wanted[0].is_users:
        return Finding("warn", "recognizer", said, "check that it is to read Latin letters, black on white")
    return Finding("FAIL", "recognizer", said, "install this project's dependencies again (uv sync)")


def _drawn(word: str) -> Float[Tensor, "1 3 h w"]:
    image = Image.new("RGB", SIZE, "white")
    font = ImageFont.load_default(44)
    ImageDraw.Draw(image).text((SIZE[0] / 2, SIZE[1] / 2), word, fill="black", font=font, anchor="mm")
    return torch.tensor(np.array(image)).permute(2, 0, 1)[None].float() / 255
