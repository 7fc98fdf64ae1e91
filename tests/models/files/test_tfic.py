import numpy as np
import pytest
import torch

from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.errors import FormatError, ModelError
from models.files import tfic
from models.files.model import QUALITIES, RateDial, TrainedCodec
from models.files.tfic import CRC_BYTES, TficFile


@pytest.mark.parametrize(("quality", "overhead"), [(None, 8), (50, 9)])
def test_a_file_of_a_text_line_costs_at_most_9_bytes_more_than_its_stream(quality: int | None, overhead: int) -> None:
    stream = b"stream"
    assert len(TficFile(b"ab", 256, 64, quality, stream).pack()) - len(stream) == overhead


def test_a_decoded_file_is_the_forward_pass(trained: TrainedCodec, test_images: TextImages) -> None:
    image = test_images.images[0]
    with torch.no_grad():
        forward = trained.codec(tfic.to_float(image)).x_hat.clamp(0, 1)
    decoded = tfic.decode(trained, tfic.encode(trained, image))
    assert np.array_equal(decoded, tfic.to_bytes(forward))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 256), (65, 127), (300, 40)])
def test_images_of_any_size_keep_it(trained: TrainedCodec, height: int, width: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert tfic.decode(trained, tfic.encode(trained, image)).shape == image.shape


def test_grey_images_stay_grey(trained: TrainedCodec, test_images: TextImages) -> None:
    grey = test_images.images[0].mean(2).astype(np.uint8)
    data = tfic.encode(trained, grey)
    assert TficFile.unpack(data).grey
    decoded = tfic.decode(trained, data)
    assert decoded.shape == grey.shape
    colored = tfic.decode(trained, tfic.encode(trained, tfic.rgb(grey)))
    assert np.abs(colored.mean(2) - decoded).mean() < 10


def test_every_flipped_bit_and_every_cut_is_noticed(trained: TrainedCodec, test_images: TextImages) -> None:
    data = tfic.encode(trained, test_images.images[0])
    for position in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(FormatError):
            tfic.decode(trained, bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(FormatError):
            tfic.decode(trained, data[:length])
    with pytest.raises(FormatError):
        tfic.decode(trained, data + b"\0")


def test_another_models_file_is_refused_by_name(trained: TrainedCodec, test_images: TextImages) -> None:
    torch.manual_seed(1)
    codec = codecs.build("small").eval()
    codec.update_tables()
    other = TrainedCodec(codec, "small", "english_g2", {})
    with pytest.raises(FormatError, match=f"{other.fingerprint[:2].hex()}.*{trained.fingerprint[:2].hex()}"):
        tfic.decode(trained, tfic.encode(other, test_images.images[0]))


def test_a_dials_file_that_ends_before_its_position_is_damaged() -> None:
    content = TficFile(b"ab", 256, 64, 50, b"").pack()[: -CRC_BYTES - 1]
    with pytest.raises(FormatError, match="it ends before its dial's position"):
        TficFile.unpack(content + tfic._crc(content))


@pytest.mark.parametrize("side", [1 << 20, 1 << 16])
def test_absurd_sizes_are_refused_before_anything_is_allocated(trained: TrainedCodec, side: int) -> None:
    data = TficFile(trained.fingerprint[:2], side, side, None, b"").pack()
    with pytest.raises(FormatError, match=f"{side}x{side}"):
        tfic.decode(trained, data)


def test_an_image_that_no_decoder_would_read_is_not_written(trained: TrainedCodec) -> None:
    for shape in ((1, 65_537), (65_537, 1, 3), (13_378, 13_378)):
        image = np.broadcast_to(np.uint8(0), shape)
        with pytest.raises(FormatError, match=f"{shape[1]}x{shape[0]} .*a side has 65536 at most, an image 178956970"):
            tfic.encode(trained, image)


def test_sizes_survive_the_header() -> None:
    sides = (1, 127, 128, 16_383, 16_384, 65_536)
    for side, other in zip(sides, reversed(sides), strict=True):
        for quality in (None, side % 101):
            file = TficFile(b"ab", side, other, quality, b"x", grey=side % 2 == 0)
            assert TficFile.unpack(file.pack()) == file


def test_a_dials_file_says_its_quality_and_is_decoded_at_it(dial: RateDial, test_images: TextImages) -> None:
    image = test_images.images[0]
    data = tfic.encode(dial, image, 30)
    assert TficFile.unpack(data).quality == 30
    plain = TrainedCodec(dial.codec_at(30), "small", "english_g2", {})
    assert np.array_equal(tfic.decode(dial, data), tfic.decode(plain, tfic.encode(plain, image)))


def test_bisection_finds_the_best_quality_within_a_rate(dial: RateDial, test_images: TextImages) -> None:
    image = test_images.images[0]
    sizes = [len(tfic.encode(dial, image, quality)) for quality in QUALITIES]
    assert sizes == sorted(sizes)
    for size in (sizes[0], sizes[40], sizes[-1] + 1):
        file = TficFile.unpack(tfic.encode_within(dial, image, size / 2048))
        assert file.quality == max(quality for quality in QUALITIES if sizes[quality] <= size)
    with pytest.raises(FormatError, match="the least that this model makes"):
        tfic.encode_within(dial, image, (sizes[0] - 1) / 2048)


def test_a_dial_needs_a_position_and_a_codec_of_one_rate_has_none(
    dial: RateDial, trained: TrainedCodec, test_images: TextImages
) -> None:
    for quality in (None, 101, -1):
        with pytest.raises(ModelError, match="from 0 to 100"):
            tfic.encode(dial, test_images.images[0], quality)
    with pytest.raises(ModelError, match="--dial"):
        tfic.encode(trained, test_images.images[0], 50)
