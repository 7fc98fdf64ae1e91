"""Image files <-> pixels, as they are looked at."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from models import files
from models.errors import FormatError, ModelError

WHITE, WHITE_16 = 255, 65_535


def endings() -> set[str]:
    """Of the files that Pillow opens."""
    return {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def read(path: Path) -> UInt8[np.ndarray, "h w *_c"]:
    """An image's pixels upright, RGB or grey.

    Raises:
        FormatError: it cannot be read, or something shines through it.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if _transparent(upright):
                raise FormatError(f"{path} has transparency, which .tfic does not keep; flatten it on a background")
            if upright.mode.startswith("I"):
                return (np.asarray(upright).clip(0, WHITE_16) // (WHITE_16 // WHITE)).astype(np.uint8)
            return np.asarray(upright.convert("L" if upright.mode in ("1", "L", "LA", "F") else "RGB"))
    except ModelError:
        raise
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        raise FormatError(f"{path} cannot be read as an image ({error})") from None


def write(path: Path, pixels: UInt8[np.ndarray, "h w *_c"]) -> None:
    """Writes an image in the format that the path's ending names.

    Raises:
        FormatError: it names none, or the file cannot be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in Image.SAVE:
        raise FormatError(f"{path} cannot be written: {path.suffix!r} names no image format; .png keeps every pixel")
    with files.writing(path) as partial:
        Image.fromarray(pixels).save(partial, kind)


def _transparent(image: Image.Image) -> bool:
    """Whether anything shines through it, whatever the format could hold."""
    if not image.has_transparency_data or image.mode.startswith("I"):
        return image.has_transparency_data
    return image.convert("RGBA").getchannel("A").getextrema() != (WHITE, WHITE)
