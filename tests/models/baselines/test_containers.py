"""What a batch stores for each file suffices to rebuild the file, given what its files share."""

import io
import zlib
from itertools import groupby

import numpy as np
import pytest
from PIL import Image

from datagen.dataset import TextImages
from models.baselines.base import Baseline
from models.baselines.containers import avif, jpeg, jpeg2000, png, tiff, webp
from models.baselines.containers.base import Container
from models.baselines.lossy import JPEG, JPEG_STANDARD, LossyCodec
from models.baselines.registry import baselines
from models.errors import FormatError

CURVES = [list(curve) for _, curve in groupby(baselines(), lambda codec: codec.name)]
"""The settings of each."""


def ends(curve: list[Baseline]) -> list[Baseline]:
    return [curve[0], curve[-1]]


@pytest.mark.parametrize(
    "codec", [codec for curve in CURVES for codec in ends(curve)], ids=lambda c: c.name + c.setting
)
def test_a_file_is_rebuilt_from_its_own_bytes_and_those_of_any_other(codec: Baseline, test_images: TextImages) -> None:
    files = [codec.encode(image) for image in test_images.images[:4]]
    parts = [codec.container.split(file) for file in files]
    assert len({part.shared for part in parts}) == 1
    for file, part in zip(files, parts, strict=True):
        assert codec.container.join(part._replace(shared=parts[0].shared)) == file
        assert codec.repeated_bytes(file) == len(file) - len(part.own) > 0


@pytest.mark.parametrize("name", ["avif-grey", "jpeg-grey", "webp-grey", "jpeg2000-grey", "otsu-g4", "otsu-png"])
def test_an_image_of_any_size_comes_apart(name: str) -> None:
    """Lengths of one byte and of several, odd and even ones, and an image that is more than one block of PNG."""
    codec = next(curve[-1] for curve in CURVES if curve[0].name == name)
    rng = np.random.default_rng(0)
    for width, height in ((1, 1), (7, 5), (333, 65), (700, 640)):
        file = codec.encode(rng.integers(0, 256, (height, width, 3), np.uint8))
        rebuilt = codec.container.join(codec.container.split(file))
        assert np.array_equal(codec.decode(rebuilt, width, height), codec.decode(file, width, height))


def test_headers_are_as_long_as_the_formats_say(test_images: TextImages) -> None:
    """RIFF and chunk 20, start code and size 7; signature 8, IHDR 25, IDAT 12, zlib 6, IEND 12; TIFF's directory."""
    lengths = {"webp-grey": {27, 28}, "otsu-webp-lossless": {25, 26}, "otsu-png": {63}, "otsu-g4": {86}}
    for name, expected in lengths.items():
        codec = next(curve[0] for curve in CURVES if curve[0].name == name)
        assert {codec.repeated_bytes(codec.encode(image)) for image in test_images.images[:3]} <= expected


def test_a_batch_shares_huffman_tables_that_are_not_the_images_own(test_images: TextImages) -> None:
    own, shared = (LossyCodec(form, grey=True, divisor=2, quality=20) for form in (JPEG, JPEG_STANDARD))
    for image in test_images.images:
        files = own.encode(image), shared.encode(image)
        assert len(files[0]) < len(files[1])
        assert np.array_equal(own.decode(files[0], 256, 64), shared.decode(files[1], 256, 64))
        assert b"\xff\xc4" in own.container.split(files[0]).own
        assert b"\xff\xc4" in shared.container.split(files[1]).shared


def test_a_comment_is_left_out_and_the_picture_stays() -> None:
    buffer = io.BytesIO()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 256), np.uint8))
    picture.save(buffer, "JPEG2000", no_jp2=True)
    bare = jpeg2000.without_comment(buffer.getvalue())
    assert len(bare) < len(buffer.getvalue())
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(bare))), np.asarray(picture))


@pytest.mark.parametrize("container", [avif.AVIF, jpeg.OPTIMIZED, jpeg2000.JPEG2000, png.PNG, tiff.TIFF, webp.WEBP])
@pytest.mark.parametrize("data", [b"", b"nothing that is an image at all", b"\xff\x4f\xff", b"\xff\xd8\xff\xd9"])
def test_another_file_is_refused(container: Container, data: bytes) -> None:
    with pytest.raises(FormatError, match=r"encode the image again|save it"):
        container.split(data)


def test_a_png_with_an_alpha_channel_or_text_keeps_them() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((3, 3, 4), np.uint8)).save(buffer, "PNG", dpi=(300, 300))
    part = png.PNG.split(buffer.getvalue())
    assert b"pHYs" in part.shared
    assert png.PNG.join(part) == buffer.getvalue()
    assert zlib.decompress(part.own, -15) == bytes(3 * (1 + 12))


def test_a_webp_file_with_further_chunks_is_refused() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(buffer, "WEBP", icc_profile=bytes(128))
    assert b"VP8X" in buffer.getvalue()
    with pytest.raises(FormatError, match="save it without alpha"):
        webp.WEBP.split(buffer.getvalue())
