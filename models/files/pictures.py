"""Image files <-> pixels, as they are looked at."""

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from models.errors import FormatError, ModelError
from models.files import disk

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP")
"""What is opened, whatever the file is called: Pillow knows others, of which some start programs."""
WHITE = 255
ONE_PICTURE = ("MPO", "PSD")
"""Formats whose first page is all that is looked at: others are a phone's second picture, or layers of the first."""
BITS = 258
"""TIFF's tag of how many a channel of a pixel has."""
GREY = ("1", "L", "LA")
GREY_16 = "LA;16B"
"""How 16 bits of grey with transparency lie in a file; Pillow opens them as colors."""


def endings() -> set[str]:
    """Endings of the image files that are opened."""
    return {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}


def read(path: Path) -> UInt8[NDArray[Any], "h w *_c"]:
    """An image's pixels upright, RGB or grey.

    Raises:
        FormatError: it cannot be read, is one of several, or has what is not kept.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_pages(path, image)
            grey, bits = _grey(image), _bits(image)
            upright = ImageOps.exif_transpose(image)
            if _transparent(upright):
                raise FormatError(f"{path} has transparency, which .tfic does not keep; flatten it on a background")
            opaque = _from_bits(path, upright, bits) if bits is not None else _opaque(upright, grey)
            shown = in_srgb(opaque, upright.info.get("icc_profile"))
            return np.asarray(shown if shown.mode == "L" else shown.convert("RGB"))
    except ModelError:
        raise
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        raise FormatError(f"{path} cannot be read as an image ({error})") from error


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colors that a profile means as those of sRGB, which every picture without a profile is taken for; L stays L.

    A profile that is broken, or speaks of other channels, changes nothing. `picture` is L, RGB or CMYK.
    """
    if not profile:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space: str = getattr(source.profile, "xcolor_space", "")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        equal = picture.mode == "L" and space.strip() == "RGB"
        channels = picture.convert("RGB") if equal else picture
        srgb = cast(Any, ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType]
        shown = ImageCms.profileToProfile(channels, source, srgb, outputMode="RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        return picture
    assert shown is not None, "only a transform in place gives nothing"
    return shown.convert("L") if picture.mode == "L" else shown


def write(path: Path, pixels: UInt8[NDArray[Any], "h w *_c"]) -> None:
    """Writes an image in the format that the path's ending names.

    Raises:
        FormatError: it names none, or the file cannot be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower(), "")
    if kind not in Image.SAVE:
        raise FormatError(f"{path} cannot be written: {path.suffix!r} names no image format; .png keeps every pixel")
    with disk.writing(path) as partial:
        Image.fromarray(pixels).save(partial, kind)


def _check_pages(path: Path, image: Image.Image) -> None:
    pages = getattr(image, "n_frames", 1)
    if pages > 1 and image.format not in ONE_PICTURE:
        raise FormatError(f"{path} has {pages} pages, of which .tfic keeps one; split it into a file for each")


def _grey(image: Image.Image) -> bool:
    """Whether the file has one channel beside transparency."""
    return image.mode in GREY or any(tile[3] == GREY_16 for tile in getattr(image, "tile", ()))


def _bits(image: Image.Image) -> int | None:
    """Bits of a pixel, if it has more than 8; 0 where the numbers are wider than the pixel's values or have a sign."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return 16
    return tags[BITS][0] if image.mode.startswith("I;") else 0


def _opaque(image: Image.Image, grey: bool) -> Image.Image:
    """L where the file has one channel, or a palette without colors; else RGB or CMYK."""
    if image.mode == "CMYK":
        return image
    pixels = np.asarray(image.convert("RGB"))
    grey = grey or (image.mode.startswith("P") and bool((pixels == pixels[..., :1]).all()))
    return Image.fromarray(pixels[..., 0] if grey else pixels)


def _from_bits(path: Path, image: Image.Image, bits: int) -> Image.Image:
    values = np.asarray(image)
    # The highest bit of 8 or 16 is in use, or nothing tells which value is white.
    used = bits or int(values.max()).bit_length()
    if image.mode == "F" or values.min() < 0 or used not in ((12, 16) if bits else (8, 16)):
        raise FormatError(f"{path} has pixels of neither 8 nor 16 bits (mode {image.mode}); save it with one of them")
    return Image.fromarray((values // (((1 << used) - 1) // WHITE)).astype(np.uint8))


def _transparent(image: Image.Image) -> bool:
    """Whether anything shines through it, whatever the format could hold."""
    if not image.has_transparency_data or image.mode.startswith("I"):
        return image.has_transparency_data
    return image.convert("RGBA").getchannel("A").getextrema() != (WHITE, WHITE)
