from dataclasses import replace

import numpy as np
import pytest
import torch

from datagen.dataset import TextImages
from models.codecs import registry as codecs
from models.errors import FormatError, ModelError
from models.files import memory, pixels, tfic
from models.files.framing import MASK_BYTES, WHOLE, Head, TficFile
from models.files.model import QUALITIES, RateDial, Size, TrainedCodec


def test_a_file_of_the_models_canvas_costs_at_most_4_bytes_more_than_its_stream(
    trained: TrainedCodec, dial: RateDial, test_images: TextImages
) -> None:
    image = test_images.images[0]
    sized = tfic.encode(trained, image)
    for model, quality, overhead in ((trained, None, 3), (dial, 50, 4)):
        data = tfic.encode(replace(model, canvas=Size(256, 64)), image, quality)
        file = TficFile.unpack(data)
        assert (len(data) - len(file.stream), file.head.size) == (overhead, None)
    assert TficFile.unpack(sized).head.size == (256, 64)
    assert len(sized) == 3 + 3 + len(trained.codec.compress(pixels.to_float(image)))


def test_a_file_without_a_size_needs_the_canvas_of_the_model_that_wrote_it(
    trained: TrainedCodec, test_images: TextImages
) -> None:
    here, narrower = (replace(trained, canvas=Size(width, 64)) for width in (256, 255))
    data = tfic.encode(here, test_images.images[0])
    assert tfic.decode(here, data).shape == (64, 256, 3)
    assert tfic.decode(narrower, tfic.encode(narrower, test_images.images[0])).shape == (64, 256, 3)
    for model, reason in ((trained, "has none of its own"), (narrower, "other latents")):
        with pytest.raises(FormatError, match=reason):
            tfic.decode(model, data)


def test_a_decoded_file_is_the_forward_pass(trained: TrainedCodec, test_images: TextImages) -> None:
    image = test_images.images[0]
    with torch.no_grad():
        forward = trained.codec(pixels.to_float(image)).x_hat.clamp(0, 1)
    decoded = tfic.decode(trained, tfic.encode(trained, image))
    assert np.array_equal(decoded, pixels.to_bytes(forward))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 256), (65, 127), (300, 40)])
def test_images_of_any_size_keep_it(trained: TrainedCodec, height: int, width: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert tfic.decode(trained, tfic.encode(trained, image)).shape == image.shape


def test_grey_images_stay_grey(trained: TrainedCodec, test_images: TextImages) -> None:
    grey = test_images.images[0].mean(2).astype(np.uint8)
    data = tfic.encode(trained, grey)
    assert TficFile.unpack(data).head.grey
    decoded = tfic.decode(trained, data)
    assert decoded.shape == grey.shape
    colored = tfic.decode(trained, tfic.encode(trained, pixels.rgb(grey)))
    assert np.abs(colored.mean(2) - decoded).mean() < 10


@pytest.mark.parametrize("canvas", [None, Size(256, 64)])
def test_flipped_bits_and_cuts_are_noticed(canvas: Size | None, trained: TrainedCodec, test_images: TextImages) -> None:
    model = replace(trained, canvas=canvas)
    data = tfic.encode(model, test_images.images[0])
    first = 8 * (len(data) - len(TficFile.unpack(data).stream) + MASK_BYTES)
    for position in (*range(first), *range(first, 8 * len(data), 29)):
        damaged = bytearray(data)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(FormatError):
            tfic.decode(model, bytes(damaged))
    for length in (*range(20), *range(20, len(data), 17)):
        with pytest.raises(FormatError):
            tfic.decode(model, data[:length])
    with pytest.raises(FormatError):
        tfic.decode(model, data + b"\0")


def test_another_models_file_is_refused_by_name(trained: TrainedCodec, test_images: TextImages) -> None:
    torch.manual_seed(1)
    codec = codecs.build("small").eval()
    codec.update_tables()
    other = TrainedCodec(codec, "small", "english_g2", {})
    with pytest.raises(FormatError, match=f"{other.fingerprint[:2].hex()}.*{trained.fingerprint[:2].hex()}"):
        tfic.decode(trained, tfic.encode(other, test_images.images[0]))


@pytest.mark.parametrize("quality", [None, 50])
def test_a_file_that_ends_before_its_image_is_damaged(quality: int | None) -> None:
    data = TficFile(b"ab", Head(None, quality), b"").pack()
    for length in range(1, len(data) + 1):
        with pytest.raises(FormatError, match="it ends before its image"):
            TficFile.unpack(data[:length])


@pytest.mark.parametrize("side", [1 << 20, 1 << 16])
def test_absurd_sizes_are_refused_before_anything_is_allocated(trained: TrainedCodec, side: int) -> None:
    data = TficFile(trained.fingerprint[:2], Head(Size(side, side)), b"stream").pack()
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
            head = Head(Size(side, other), quality, side % 2 == 0, WHOLE if side < 128 else 1 + side % 255)
            file = TficFile(b"ab", head, b"x")
            assert TficFile.unpack(file.pack()) == file


@pytest.mark.parametrize(("scale", "inner"), [(8, (16, 8)), (40, (80, 40)), (128, (256, 128))])
def test_an_image_is_coded_at_another_scale_and_comes_back_at_its_size(
    trained: TrainedCodec, scale: int, inner: tuple[int, int]
) -> None:
    image = pixels.rgb(np.tile(np.linspace(0, 255, 128).astype(np.uint8), (64, 1)))
    model = replace(trained, canvas=Size(128, 64))
    data = tfic.encode(model, image, scale=scale)
    file = TficFile.unpack(data)
    assert (file.head, len(data) - len(file.stream)) == (Head(Size(128, 64), scale=scale), 3 + 2 + 3)
    small = tfic.decode(model, tfic.encode(model, tfic.resized(image, Size(*inner))))
    assert np.array_equal(tfic.decode(model, data), tfic.resized(small, Size(128, 64)))


def test_a_damaged_scale_is_noticed(trained: TrainedCodec, test_images: TextImages) -> None:
    data = bytearray(tfic.encode(trained, test_images.images[0], scale=32))
    assert (data[3], data[4]) == (0, 32)
    for scale in (0, 1, 31, 33, WHOLE, 255):
        data[4] = scale
        with pytest.raises(FormatError):
            tfic.decode(trained, bytes(data))


def test_a_file_that_is_small_and_an_image_that_is_not_take_the_images_memory(
    trained: TrainedCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TficFile(trained.fingerprint[:2], Head(Size(13_000, 13_000), scale=1), b"12345678")
    monkeypatch.setattr(memory, "available", lambda: 1 << 28)
    with pytest.raises(FormatError, match=r"an image of 169\.0 million pixels"):
        tfic.decode(trained, file.pack())


def test_a_dials_file_says_its_quality_and_is_decoded_at_it(dial: RateDial, test_images: TextImages) -> None:
    image = test_images.images[0]
    data = tfic.encode(dial, image, 30)
    assert TficFile.unpack(data).head.quality == 30
    plain = TrainedCodec(dial.codec_at(30), "small", "english_g2", {})
    assert np.array_equal(tfic.decode(dial, data), tfic.decode(plain, tfic.encode(plain, image)))


def test_bisection_finds_the_best_quality_within_a_rate(dial: RateDial, test_images: TextImages) -> None:
    image = test_images.images[0]
    sizes = [len(tfic.encode(dial, image, quality)) for quality in QUALITIES]
    assert sizes == sorted(sizes)
    for size in (sizes[0], sizes[40], sizes[-1] + 1):
        file = TficFile.unpack(tfic.encode_within(dial, image, size / 2048))
        assert file.head.quality == max(quality for quality in QUALITIES if sizes[quality] <= size)
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
