"""Any image file -> the canvas that codec and recognizer work on."""

import functools
import io
from typing import Any, cast

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from datagen.errors import ItemError, reason
from datagen.sample import Ink

LARGEST = 64_000_000
"""Pixels of an image that is decoded; a few bytes can claim to be far more."""
TOO_LARGE = f"it has more than {LARGEST // 10**6} million pixels"
WHITE = 255
SHAPE = 0.03
"""Share by which the shapes of an image and of the image's clean rendering may differ, for sides are whole pixels."""
BITS = 258
"""TIFF's tag of how many a channel of a pixel has."""
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "TGA", "TIFF", "WEBP")
"""What is opened, whatever the file is called: Pillow knows others, of which some start programs."""
ONE_PICTURE = ("MPO", "PSD")
"""Formats whose first page is the picture: others are a phone's second one, or layers of the first."""


@functools.cache
def endings() -> frozenset[str]:
    """Endings of the files that are taken for images."""
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS)


def fit(data: bytes, width: int, height: int) -> Image.Image:
    """The picture in `data`, RGB, as large as the canvas holds and not distorted.

    It stands at the left, and its edges are repeated to fill the rest, as recognizers of text lines pad.

    Raises:
        ItemError: `data` is no image, several, damaged, too large to open, or has pixels without black and white.
    """
    return _placed(_opened(data), width, height)


def fit_both(data: bytes, clean: bytes, width: int, height: int) -> tuple[Image.Image, Ink]:
    """The picture in `data` as `fit` gives it, and the ink of the clean rendering in `clean`, on the same canvas.

    Raises:
        ItemError: as `fit`, of either; the rendering has another shape than the picture, or is mostly dark.
    """
    picture, rendering = _opened(data), _opened(clean).convert("L")
    if abs(picture.width * rendering.height / (rendering.width * picture.height) - 1) > SHAPE:
        raise ItemError(
            f"its clean rendering has {rendering.width}x{rendering.height} pixels, and the image "
            f"{picture.width}x{picture.height}: they must have one shape"
        )
    ink = WHITE - np.asarray(_placed(rendering.resize(picture.size, Image.Resampling.LANCZOS), width, height))
    if ink.mean() > WHITE / 2:
        raise ItemError("its clean rendering is mostly dark; black text on white is meant")
    return _placed(picture, width, height), ink


def _placed(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The picture on the canvas."""
    factor = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    scaled = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    above = (height - size[1]) // 2
    sides = ((above, height - size[1] - above), (0, width - size[0]))
    return Image.fromarray(np.pad(scaled, sides + ((0, 0),) * (scaled.ndim - 2), mode="edge"))


def _opened(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise ItemError(TOO_LARGE)
            _check_pages(picture)
            bits = _bits(picture)
            return _rgb(ImageOps.exif_transpose(picture), bits)
    except ItemError:
        raise
    except UnidentifiedImageError as error:
        raise ItemError("it is no image") from error
    except Image.DecompressionBombError as error:
        raise ItemError(TOO_LARGE) from error
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        raise ItemError(f"it is damaged ({reason(error)})") from error


def _check_pages(picture: Image.Image) -> None:
    pages = getattr(picture, "n_frames", 1)
    if pages > 1 and picture.format not in ONE_PICTURE:
        raise ItemError(f"it has {pages} pages; split it into a file for each")


def _rgb(picture: Image.Image, bits: int | None) -> Image.Image:
    """Eight bits a color; what is transparent shows white."""
    profile = picture.info.get("icc_profile")
    if bits is not None:
        return _in_srgb(Image.fromarray(_eight_bits(picture, bits)), profile).convert("RGB")
    if not picture.has_transparency_data:
        plain = picture if picture.mode in ("L", "CMYK") else picture.convert("RGB")
        return _in_srgb(plain, profile).convert("RGB")
    mixed = picture.convert("RGBA")
    grey = picture.mode == "LA"
    shown = _in_srgb(mixed.convert("L" if grey else "RGB"), profile).convert("RGB")
    return Image.composite(shown, Image.new("RGB", picture.size, "white"), mixed.getchannel("A"))


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
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


def _bits(picture: Image.Image) -> int | None:
    """Bits of a pixel, if it has more than 8; 0 where the numbers are wider than the pixel's values or have a sign."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return None
    tags = getattr(picture, "tag_v2", None)
    if tags is None:
        return 16
    return tags[BITS][0] if picture.mode.startswith("I;") else 0


def _eight_bits(picture: Image.Image, bits: int) -> UInt8[NDArray[Any], "h w"]:
    values = np.asarray(picture)
    # The highest bit of 8 or 16 is in use, or nothing tells which value is white.
    used = bits or int(values.max()).bit_length()
    if picture.mode == "F" or values.min() < 0 or used not in ((12, 16) if bits else (8, 16)):
        raise ItemError(f"its pixels have neither 8 nor 16 bits (mode {picture.mode}); save it with one of them")
    return (values // (((1 << used) - 1) // WHITE)).astype(np.uint8)
