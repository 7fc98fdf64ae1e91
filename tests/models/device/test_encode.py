"""Files that a device makes without PyTorch are files of the model."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from datagen.dataset import TextImages, to_tensor
from models import sources
from models.__main__ import main
from models.codecs import entropy_coder
from models.codecs.base import Codec
from models.codecs.entropy_coder import Decoder, Latent
from models.device import encode
from models.device.encode import Encoder
from models.files import tfic
from models.files.model import RateDial

# The first one waits for the export.
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
BEST = 100


class Recorder(Decoder):
    """A decoder that keeps what it gives, and by which tables."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.symbols, self.tables = list[np.ndarray](), list[np.ndarray]()

    def take(self, indexes, model):
        symbols = super().take(indexes, model)
        self.symbols.append(symbols.numpy())
        self.tables.append(indexes.numpy())
        return symbols


@pytest.fixture(scope="module")
def folder(dial: RateDial, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the command writes, in the working directory."""
    folder = tmp_path_factory.mktemp("device")
    dial.save(folder / "dial.pt")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = ["--model", "dial.pt", "--quality", str(BEST), "--size", "256x64"]
        patch.setattr("sys.argv", ["models", "export-encoder", ".", *options])
        assert main() == 0
        yield folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    with np.load(folder / encode.TABLES) as content:
        return Encoder((folder / encode.GRAPH).read_bytes(), content)


@pytest.fixture
def codec(dial: RateDial) -> Codec:
    return dial.codec_at(BEST)


@torch.no_grad()
def test_latents_are_those_of_pytorch_but_where_they_lie_between_two_numbers(
    encoder: Encoder, dial: RateDial, codec: Codec, test_images: TextImages
) -> None:
    """Files are equal then, and those of other latents are decoded to what they mean."""
    decoded, equal = [], 0
    with codec.get_submodule("g_s").register_forward_pre_hook(lambda module, inputs: decoded.append(inputs[0])):
        for image, x in zip(test_images.images, to_tensor(test_images.images), strict=True):
            data = encoder.encode(image)
            assert tfic.decode(dial, data).shape == image.shape
            assert (decoded[-1] - codec.g_a(x[None])).abs().max() < 0.5 + 1e-3
            equal += data == tfic.encode(dial, image, BEST)
    assert decoded[0].abs().max() > 3
    assert equal >= 0.8 * len(test_images.images)


@pytest.mark.parametrize("contrast", [1, 16, 255])
@torch.no_grad()
def test_tables_are_chosen_to_the_last_bit_as_pytorch_does(encoder: Encoder, codec: Codec, contrast: int) -> None:
    rng = np.random.default_rng(contrast)
    symbols, tables = zip(*encoder.latents(rng.integers(contrast + 1, size=(64, 256, 3), dtype=np.uint8)), strict=True)
    recorder = Recorder(encoder.stream([*zip(symbols, tables, strict=True)]))
    codec.decoded(recorder, 64, 256)
    recorder.close()
    assert all(map(np.array_equal, recorder.symbols, symbols))
    after = codec.bottleneck.channels
    expected = [recorder.tables[0], *(each + after for each in recorder.tables[1:])]
    assert all(map(np.array_equal, expected, tables))


@pytest.mark.parametrize("largest", [1, 3_000, entropy_coder.LARGEST - 1])
def test_any_symbols_give_the_stream_that_pytorch_gives(encoder: Encoder, codec: Codec, largest: int) -> None:
    rng, shape, bottleneck = np.random.default_rng(0), (1, codec.bottleneck.channels, 4, 8), codec.bottleneck
    symbols = rng.integers(-largest, largest, size=shape, endpoint=True).astype(np.int32)
    indexes = bottleneck.build_indexes(torch.zeros(shape))
    expected = entropy_coder.encode(Latent(torch.tensor(symbols).float(), indexes, bottleneck))
    # float32 does not hold every number of 26 bits.
    symbols = symbols.astype(np.float32).astype(np.int32).clip(-largest, largest)
    assert encoder.stream([(symbols, indexes.numpy().astype(np.int32))]) == expected


def test_latents_that_cannot_be_coded_are_refused(encoder: Encoder) -> None:
    symbols = np.full((1, 1, 1, 1), entropy_coder.LARGEST, np.int32)
    with pytest.raises(ValueError, match="no latents of this image that can be coded"):
        encoder.stream([(symbols, np.zeros_like(symbols))])


def test_a_grey_image_stays_grey(encoder: Encoder, dial: RateDial) -> None:
    image = np.full((64, 256), 200, np.uint8)
    data = encoder.encode(image)
    assert data == tfic.encode(dial, image, BEST)
    assert tfic.decode(dial, data).ndim == 2


def test_the_script_alone_writes_the_file(folder: Path, encoder: Encoder, test_images: TextImages) -> None:
    Image.fromarray(test_images.images[0]).save(folder / "photo.png")
    command = [sys.executable, folder / "encode.py", "photo.png", "photo.tfic"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    data = (folder / "photo.tfic").read_bytes()
    assert (run.returncode, run.stdout, run.stderr) == (0, f"photo.tfic: {len(data)} bytes\n", "")
    assert data == encoder.encode(test_images.images[0])


def test_the_script_needs_what_it_says() -> None:
    needed = {name[0] for name in sources.imports(Path(encode.__file__), ROOT)} - sys.stdlib_module_names
    assert needed == {"PIL", "constriction", "numpy", "onnxruntime"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.png", "out.tfic"], "none.png"),
        (["small.png", "out.tfic"], "the image is 64x64, this encoder's are 256x64"),
        (["alpha.png", "out.tfic"], "alpha.png has pixels of mode RGBA"),
        (["grey.png", "none/out.tfic"], "none/"),
        (["grey.png"], "usage: python encode.py IMAGE FILE"),
    ],
)
def test_what_the_script_cannot_do_is_one_line(folder: Path, arguments: list[str], said: str, monkeypatch) -> None:
    for name, mode, size in (("small", "RGB", (64, 64)), ("alpha", "RGBA", (256, 64)), ("grey", "1", (256, 64))):
        Image.new(mode, size).save(folder / f"{name}.png")
    monkeypatch.setattr(encode, "__file__", str(folder / "encode.py"))
    monkeypatch.setattr("sys.argv", ["encode.py", *arguments])
    with pytest.raises(SystemExit, match=said) as stopped:
        encode.main()
    assert "\n" not in str(stopped.value)
    assert not (folder / "out.tfic").exists()
