"""Images of every kind are read as they are looked at, or refused in one line."""

import struct
import zlib
from pathlib import Path

import numpy as np
import postscript
import profiles
import pytest
from PIL import Image, ImageCms

from datagen import fitting
from models.errors import FormatError
from models.files import pictures

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
def test_an_image_of_several_pages_is_never_taken_for_one(name: str, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(("white", "middle"), [(255, 156), (65_535, 40_092)])
def test_of_32_bits_those_in_use_are_read(white: int, middle: int, tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, middle, white]], np.int32)).save(tmp_path / "wide.tif")
    assert pictures.read(tmp_path / "wide.tif").tolist() == [[0, 156, 255]]


def test_12_bits_are_read_by_their_own_white(tmp_path: Path) -> None:
    tags = [(256, 2), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 3)]
    directory = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    (tmp_path / "twelve.tif").write_bytes(
        b"II*\0" + struct.pack("<I", 12) + bytes([0x80, 0x0F, 0xFF, 0]) + struct.pack("<H", 9) + directory + bytes(4)
    )
    assert pictures.read(tmp_path / "twelve.tif").tolist() == [[128, 255]]


def test_a_dark_picture_of_16_bits_stays_dark(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255]], np.uint16)).save(tmp_path / "dark.pgm")
    assert pictures.read(tmp_path / "dark.pgm").tolist() == [[0, 0]]


def test_16_bits_of_grey_stay_grey_beside_transparency(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 16, 4, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x9c\x9c\xff\xff")), (b"IEND", b"")]
    packed = (struct.pack(">I", len(data)) + name + data + zlib.crc32(name + data).to_bytes(4) for name, data in chunks)
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    assert pictures.read(tmp_path / "deep.png").tolist() == [[156]]


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp", "photo.tif", "photo.avif"])
def test_a_phones_red_is_the_same_red(name: str, tmp_path: Path) -> None:
    photo = Image.new("RGB", (16, 16), profiles.P3_RED)
    photo.save(tmp_path / name, icc_profile=profiles.display_p3(), quality=100)
    assert np.abs(pictures.read(tmp_path / name).astype(int) - profiles.SRGB_RED).max() <= 6


@pytest.mark.parametrize(("kind", "value"), [(np.uint8, 128), (np.uint16, 128 * 257)])
def test_grey_of_a_scanners_profile_stays_grey(kind: type, value: int, tmp_path: Path) -> None:
    scan = np.full((4, 5), value, kind)
    Image.fromarray(scan).save(tmp_path / "scan.png", icc_profile=profiles.linear_grey())
    assert (pictures.read(tmp_path / "scan.png") == np.full((4, 5), 188)).all()


def test_inks_are_mixed_as_their_profile_says(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "print.tif", icc_profile=profiles.black_printer())
    assert (pictures.read(tmp_path / "print.tif") == np.zeros((8, 8, 3))).all()


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("profile", [SRGB, b"broken", profiles.display_p3()[:300], profiles.linear_grey()])
def test_a_profile_that_says_nothing_of_the_colors_changes_none(profile: bytes, tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(colors).save(tmp_path / "image.png", icc_profile=profile)
    assert np.array_equal(pictures.read(tmp_path / "image.png"), colors)


def test_no_name_of_an_image_starts_a_program(tmp_path: Path, monkeypatch) -> None:
    started = postscript.watched(tmp_path, monkeypatch)
    (tmp_path / "image.png").write_bytes(postscript.PAGE)
    with pytest.raises(FormatError, match=r"image\.png cannot be read as an image"):
        pictures.read(tmp_path / "image.png")
    assert not started.exists()


def test_endings_are_those_of_images() -> None:
    assert {".png", ".jpg", ".jfif", ".tif", ".avif", ".tga", ".webp"} <= pictures.endings()
    assert not {".eps", ".ps", ".mpg", ".h5", ".wmf", ".fits"} & pictures.endings()
    assert pictures.FORMATS == fitting.FORMATS


@pytest.mark.parametrize(("kind", "value"), [("f4", 1), ("i4", -1), ("i4", 65_536), ("i4", 1), ("i4", 4_095)])
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
