"""Any image file -> the canvas that codec and recognizer work on."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from datagen.errors import ItemError, reason

LARGEST = 64_000_000
"""Pixels of an image that is decoded; a few bytes can claim to be far more."""
TOO_LARGE = f"it has more than {LARGEST // 10**6} million pixels"
WHITE_16 = 2**16 - 1
ONE_PICTURE = ("MPO", "PSD")
"""Formats whose first page is the picture: others are a phone's second one, or layers of the first."""


def fit(data: bytes, width: int, height: int) -> Image.Image:
    """The picture in `data`, RGB, as large as the canvas holds and not distorted.

    It stands at the left, and its edges are repeated to fill the rest, as recognizers of text lines pad.

    Raises:
        ItemError: `data` is no image, several, damaged, too large to open, or has pixels without black and white.
    """
    picture = _opened(data)
    factor = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    scaled = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    above = (height - size[1]) // 2
    padding = ((above, height - size[1] - above), (0, width - size[0]), (0, 0))
    return Image.fromarray(np.pad(scaled, padding, mode="edge"))


def _opened(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > LARGEST:
                raise ItemError(TOO_LARGE)
            _check_pages(picture)
            return _rgb(ImageOps.exif_transpose(picture))
    except ItemError:
        raise
    except UnidentifiedImageError:
        raise ItemError("it is no image") from None
    except Image.DecompressionBombError:
        raise ItemError(TOO_LARGE) from None
    # Pillow's readers raise whatever they like on a broken file.
    except Exception as error:
        raise ItemError(f"it is damaged ({reason(error)})") from None


def _check_pages(picture: Image.Image) -> None:
    pages = getattr(picture, "n_frames", 1)
    if pages > 1 and picture.format not in ONE_PICTURE:
        raise ItemError(f"it has {pages} pages; split it into a file for each")


def _rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a color; what is transparent shows white."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        return Image.fromarray(_eight_bits(picture)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def _eight_bits(picture: Image.Image) -> UInt8[np.ndarray, "h w"]:
    values = np.asarray(picture)
    # Of others, nothing tells which are black and white.
    if picture.mode == "F" or values.min() < 0 or values.max() > WHITE_16:
        raise ItemError(f"its pixels have neither 8 nor 16 bits (mode {picture.mode}); save it with one of them")
    return (values // (WHITE_16 // 255)).astype(np.uint8)
