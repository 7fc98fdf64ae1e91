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


def test_an_ending_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"'\.xyz' names no image format"):
        pictures.write(tmp_path / "image.xyz", np.zeros((4, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
