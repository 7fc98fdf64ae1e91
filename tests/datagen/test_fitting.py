"""Images of every kind come out as the canvas shows them."""

import io
from pathlib import Path

import numpy as np
import postscript
import profiles
import pytest
from PIL import Image

from datagen import fitting
from datagen.errors import ItemError


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (100, 50)) -> Image.Image:
    """Black at the left, white at the right."""
    picture = Image.new("RGB", size, "black")
    picture.paste("white", (size[0] // 2, 0, *size))
    return picture.convert(mode)


def grey(picture: Image.Image) -> np.ndarray:
    assert (picture.mode, picture.size) == ("RGB", (256, 64))
    return np.asarray(picture.convert("L")).astype(int)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA"])
def test_every_mode_shows_the_same_picture(mode: str) -> None:
    pixels = grey(fitting.fit(encoded(halves(mode)), 256, 64))
    assert pixels[:, :55].max() <= 5
    assert pixels[:, 75:].min() >= 250


def test_cmyk_and_sixteen_bits_show_it_too() -> None:
    deep = Image.fromarray(np.asarray(halves("L")).astype(np.uint16) * 257)
    for data in (encoded(halves("CMYK"), "JPEG", quality=100), encoded(deep), encoded(deep, "TIFF")):
        pixels = grey(fitting.fit(data, 256, 64))
        assert pixels[:, :50].max() <= 12
        assert pixels[:, 80:].min() >= 240


@pytest.mark.parametrize("white", [255, 65_535])
def test_of_32_bits_those_in_use_are_shown(white: int) -> None:
    wide = np.asarray(halves("1")).astype(np.int32) * white
    pixels = grey(fitting.fit(encoded(Image.fromarray(wide), "TIFF"), 256, 64))
    assert pixels[:, :50].max() <= 5
    assert pixels[:, 80:].min() >= 250


@pytest.mark.parametrize(
    ("mode", "color", "profile", "shown"),
    [
        ("RGB", profiles.P3_RED, profiles.display_p3(), profiles.SRGB_RED),
        ("RGBA", (*profiles.P3_RED, 255), profiles.display_p3(), profiles.SRGB_RED),
        ("L", 128, profiles.linear_grey(), (188, 188, 188)),
        ("I;16", 32_896, profiles.linear_grey(), (188, 188, 188)),
        ("RGB", (1, 2, 3), b"broken", (1, 2, 3)),
        ("RGB", (1, 2, 3), profiles.linear_grey(), (1, 2, 3)),
    ],
)
def test_colors_are_those_that_the_profile_means(mode: str, color, profile: bytes, shown: tuple[int, ...]) -> None:
    fitted = fitting.fit(encoded(Image.new(mode, (8, 8), color), icc_profile=profile), 64, 64)
    assert np.abs(np.asarray(fitted).astype(int) - shown).max() <= 2


def test_no_picture_starts_a_program(tmp_path: Path, monkeypatch) -> None:
    started = postscript.watched(tmp_path, monkeypatch)
    with pytest.raises(ItemError, match="it is no image"):
        fitting.fit(postscript.PAGE, 256, 64)
    assert not started.exists()


@pytest.mark.parametrize("values", [np.linspace(0, 1, 64, dtype=np.float32), np.arange(64, dtype=np.int32) << 24])
def test_pixels_without_black_and_white_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ItemError, match="neither 8 nor 16 bits"):
        fitting.fit(encoded(Image.fromarray(values.reshape(8, 8)), "TIFF"), 256, 64)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
def test_an_image_of_several_pages_is_never_taken_for_one(kind: str) -> None:
    pages = [Image.new("RGB", (5, 4), color) for color in ("white", "red", "blue")]
    data = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
    with pytest.raises(ItemError, match="it has 3 pages; split it"):
        fitting.fit(data, 256, 64)


def test_a_phones_second_picture_is_no_page() -> None:
    data = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (2, 2))], quality=100)
    assert grey(fitting.fit(data, 256, 64))[:, 80:].min() >= 240


def test_the_aspect_is_kept_and_the_edges_fill_the_rest() -> None:
    tall = halves(size=(20, 100))
    pixels = grey(fitting.fit(encoded(tall), 256, 64))
    assert pixels[:, :5].max() <= 5
    assert pixels[:, 13:].min() >= 250
    wide = Image.new("RGB", (1000, 20), "white")
    wide.paste("black", (0, 0, 1000, 10))
    pixels = grey(fitting.fit(encoded(wide), 256, 64))
    assert pixels[:29].max() <= 40
    assert pixels[35:].min() >= 215


def test_transparent_pixels_are_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert grey(fitting.fit(encoded(clear), 256, 64)).min() == 255


def test_a_rotation_in_the_file_is_undone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    pixels = grey(fitting.fit(encoded(halves(), "JPEG", exif=exif, quality=100), 256, 64))
    assert pixels[:, :50].min() >= 240
    assert pixels[:, 80:].max() <= 12


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + bytes(6), b"BM" + bytes(30), b"P6 9", b"GIF89a\x40\0\x40\0\x80\0\0"],
)
def test_however_pillow_fails_the_image_alone_is_refused(data: bytes) -> None:
    with pytest.raises(ItemError, match=r"no image|damaged"):
        fitting.fit(data, 256, 64)


def test_a_program_that_pillow_would_run_is_no_image() -> None:
    with pytest.raises(ItemError, match="it is no image"):
        fitting.fit(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", 256, 64)


@pytest.mark.parametrize("data", [b"", b"no image", encoded(halves())[:-40], encoded(halves(), "JPEG")[:300]])
def test_bytes_that_cannot_be_read_are_refused(data: bytes) -> None:
    with pytest.raises(ItemError, match=r"no image|damaged"):
        fitting.fit(data, 256, 64)


@pytest.mark.parametrize("side", [8_100, 20_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_that_claims_to_be_huge_is_not_decoded(side: int) -> None:
    bomb = encoded(Image.new("1", (side, side)))
    assert len(bomb) < 100_000
    with pytest.raises(ItemError, match="more than 64 million pixels"):
        fitting.fit(bomb, 256, 64)
