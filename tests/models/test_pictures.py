"""Images of every kind are read as they are looked at, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import pictures
from models.errors import FormatError

BROKEN = {
    "chunk.png": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + b"\0" * 6,
    "header.bmp": b"BM" + bytes(30),
    "cut.ppm": b"P6 9",
    "cut.gif": b"GIF89a\x40\0\x40\0\x80\0\0",
    "text.png": b"nothing",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_is_named_however_pillow_fails(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(FormatError, match=f"{name} cannot be read as an image"):
        pictures.read(tmp_path / name)


def test_an_image_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(FormatError, match=r"bomb\.png cannot be read as an image .*decompression bomb"):
        pictures.read(tmp_path / "bomb.png")


@pytest.mark.parametrize(("mode", "shape"), [("RGBA", (4, 5, 3)), ("LA", (4, 5))])
def test_a_channel_of_transparency_may_be_there_if_nothing_shines_through(
    mode: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    picture = Image.new(mode, (5, 4), "white")
    picture.save(tmp_path / "image.png")
    read = pictures.read(tmp_path / "image.png")
    assert read.shape == shape
    assert (read == 255).all()
    picture.putalpha(Image.fromarray(np.diag([254, 255, 255, 255, 255]).astype(np.uint8)[:4]))
    picture.save(tmp_path / "image.png")
    with pytest.raises(FormatError, match=r"has transparency, .* flatten it"):
        pictures.read(tmp_path / "image.png")


@pytest.mark.parametrize("name", ["pages.tif", "frames.gif", "frames.png", "frames.webp"])
def test_one_of_several_pages_is_never_taken_for_all(name: str, tmp_path: Path) -> None:
    pages = [Image.new("RGB", (5, 4), color) for color in ("white", "red", "blue")]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    with pytest.raises(FormatError, match=rf"{name} has 3 pages, .* split it"):
        pictures.read(tmp_path / name)


def test_a_phones_second_picture_is_no_page(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4)).save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[Image.new("L", (2, 2))])
    assert pictures.read(tmp_path / "phone.jpg").shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("deep.png", "<u2"), ("deep.pgm", "<u2"), ("deep.jp2", "<u2"), ("deep.tif", "<u2"), ("deep.tif", ">u2")],
)
def test_16_bits_are_read_as_their_upper_8(name: str, kind: str, tmp_path: Path) -> None:
    deep = np.array([[0, 257, 40_092, 65_535]], kind)
    Image.fromarray(deep).save(tmp_path / name)
    assert pictures.read(tmp_path / name).tolist() == [[0, 1, 156, 255]]


@pytest.mark.parametrize(("kind", "value"), [("f4", 1), ("i4", -1), ("i4", 65_536)])
def test_values_whose_black_and_white_are_unknown_are_refused(kind: str, value: int, tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, value]], kind)).save(tmp_path / "values.tif")
    with pytest.raises(FormatError, match=r"values\.tif has pixels of neither 8 nor 16 bits .*; save it with"):
        pictures.read(tmp_path / "values.tif")


def test_a_palette_without_colors_is_grey(tmp_path: Path) -> None:
    grey = np.arange(0, 240, 12, np.uint8).reshape(4, 5)
    picture = Image.fromarray(grey).convert("P")
    picture.save(tmp_path / "image.png")
    assert np.array_equal(pictures.read(tmp_path / "image.png"), grey)
    picture.putpalette([0, 0, 1] * 256)
    picture.save(tmp_path / "image.png")
    assert pictures.read(tmp_path / "image.png").shape == (4, 5, 3)


def test_an_ending_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"'\.xyz' names no image format"):
        pictures.write(tmp_path / "image.xyz", np.zeros((4, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
