"""Image files <-> pixels, as they are looked at."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from models import files
from models.errors import FormatError, ModelError

WHITE, WHITE_16 = 255, 65_535
ONE_PICTURE = ("MPO", "PSD")
"""Formats whose first page is all that is looked at: others are a phone's second picture, or layers of the first."""


def endings() -> set[str]:
    """Of the files that Pillow opens."""
    return {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def read(path: Path) -> UInt8[np.ndarray, "h w *_c"]:
    """An image's pixels upright, RGB or grey.

    Raises:
        FormatError: it cannot be read, is one of several, or has what is not kept.
    """
    try:
        with Image.open(path) as image:
            _check_pages(path, image)
            upright = ImageOps.exif_transpose(image)
            if _transparent(upright):
                raise FormatError(f"{path} has transparency, which .tfic does not keep; flatten it on a background")
            return _pixels(path, upright)
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


def _check_pages(path: Path, image: Image.Image) -> None:
    pages = getattr(image, "n_frames", 1)
    if pages > 1 and image.format not in ONE_PICTURE:
        raise FormatError(f"{path} has {pages} pages, of which .tfic keeps one; split it into a file for each")


def _pixels(path: Path, image: Image.Image) -> UInt8[np.ndarray, "h w *_c"]:
    """One channel where the image has one, or a palette without colors."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_16_bits(path, image)
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))
    pixels = np.asarray(image.convert("RGB"))
    grey = image.mode.startswith("P") and (pixels == pixels[..., :1]).all()
    return pixels[..., 0] if grey else pixels


def _from_16_bits(path: Path, image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    values = np.asarray(image)
    # Of others, nothing tells which are black and white.
    if image.mode == "F" or values.min() < 0 or values.max() > WHITE_16:
        raise FormatError(f"{path} has pixels of neither 8 nor 16 bits (mode {image.mode}); save it with one of them")
    return (values // (WHITE_16 // WHITE)).astype(np.uint8)


def _transparent(image: Image.Image) -> bool:
    """Whether anything shines through it, whatever the format could hold."""
    if not image.has_transparency_data or image.mode.startswith("I"):
        return image.has_transparency_data
    return image.convert("RGBA").getchannel("A").getextrema() != (WHITE, WHITE)
