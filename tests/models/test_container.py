import numpy as np
import pytest
import torch

from datagen.dataset import TextImages
from models import codecs, container
from models.container import TficFile
from models.errors import FormatError
from models.trained import TrainedCodec


def test_a_file_of_a_text_line_costs_at_most_12_bytes_more_than_its_stream() -> None:
    assert len(TficFile(b"abc", 256, 64, b"stream").pack()) - len(b"stream") <= 12


def test_a_decoded_file_is_the_forward_pass(trained: TrainedCodec, test_images: TextImages) -> None:
    image = test_images.images[0]
    with torch.no_grad():
        forward = trained.codec(container.to_float(image)).x_hat.clamp(0, 1)
    decoded = container.decode(trained, container.encode(trained, image))
    assert np.array_equal(decoded, container.to_bytes(forward))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 256), (65, 127), (300, 40)])
def test_images_of_any_size_keep_it(trained: TrainedCodec, height: int, width: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert container.decode(trained, container.encode(trained, image)).shape == image.shape


def test_every_flipped_bit_and_every_cut_is_noticed(trained: TrainedCodec, test_images: TextImages) -> None:
    data = container.encode(trained, test_images.images[0])
    for position in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(FormatError):
            container.decode(trained, bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(FormatError):
            container.decode(trained, data[:length])
    with pytest.raises(FormatError):
        container.decode(trained, data + b"\0")


def test_another_models_file_is_refused_by_name(trained: TrainedCodec, test_images: TextImages) -> None:
    torch.manual_seed(1)
    codec = codecs.build("small").eval()
    codec.update_tables()
    other = TrainedCodec(codec, "small", "english_g2", {})
    with pytest.raises(FormatError, match=f"{other.fingerprint[:3].hex()}.*{trained.fingerprint[:3].hex()}"):
        container.decode(trained, container.encode(other, test_images.images[0]))


def test_absurd_sizes_are_refused_before_anything_is_allocated(trained: TrainedCodec) -> None:
    data = TficFile(trained.fingerprint[:3], 1 << 20, 1 << 20, b"").pack()
    with pytest.raises(FormatError, match="1048576x1048576"):
        container.decode(trained, data)


def test_sizes_survive_the_header() -> None:
    for side in (1, 127, 128, 16_383, 16_384, 65_536):
        file = TficFile(b"abc", side, 65_537 - side, b"x")
        assert TficFile.unpack(file.pack()) == file
