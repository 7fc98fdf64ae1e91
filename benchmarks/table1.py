"""What encoding costs beside reading, as the paper's Table I sets them side by side (TFIC, section IV-C).

python benchmarks/table1.py [--model MODEL.pt]

TinyLIC and TRBA have random weights here: what they compute is the same, and a file of random latents is no shorter.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image

from datagen.render import render
from datagen.spec import DatasetSpec
from models.codecs import registry as codecs
from models.files import pixels, tfic
from models.files.model import Model, TrainedCodec, load_model
from models.recognizers import registry as recognizers
from models.recognizers.base import FrozenRecognizer
from models.recognizers.ctc_attention import AttnRecognizer
from models.recognizers.four_stage.checkpoints import ALPHANUMERIC
from models.recognizers.four_stage.network import COMBINATIONS, HEIGHT, WIDTH, StrNet


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Encodes each image to a file and reads it, in turn, with both pairs of networks."""

    model: Path | None = None
    """A model.pt of one rate, in place of `small` with random weights."""
    images: int = 120
    threads: int = 1


def main() -> None:
    """Prints milliseconds an image, with their standard deviations, and the ratio of their means."""
    arguments = tyro.cli(Arguments)
    torch.set_num_threads(arguments.threads)
    spec = DatasetSpec(test=arguments.images)
    images = [_pixels(render(spec, "test", index).image) for index in range(arguments.images)]
    first = load_model(arguments.model) if arguments.model else _untrained("small")
    for name, model, reader_name, reader in (
        ("small", first, "english_g2", recognizers.english_g2()),
        ("tinylic", _untrained("tinylic"), "TRBA", _trba()),
    ):
        encode, read = _timed(images, model, reader)
        print(
            f"{name}: encoding {_said(encode)}; {reader_name}: reading {_said(read)}; "
            f"ratio {statistics.fmean(encode) / statistics.fmean(read):.2f}"
        )


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB"))


def _untrained(name: str) -> TrainedCodec:
    torch.manual_seed(0)
    codec = codecs.build(name).eval()
    codec.update_tables()
    return TrainedCodec(codec, name, recognizers.ENGLISH_G2, {})


def _trba() -> FrozenRecognizer:
    torch.manual_seed(0)
    network = StrNet(COMBINATIONS["tps-resnet-bilstm-attn"], 2 + len(ALPHANUMERIC))
    return AttnRecognizer(network, ALPHANUMERIC, HEIGHT, WIDTH)


def _timed(images: list[np.ndarray], model: Model, reader: FrozenRecognizer) -> tuple[list[float], list[float]]:
    """Milliseconds of each image's encoding, the file's writing included, and of its reading."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.tfic"

        def encode(image: np.ndarray) -> None:
            file.write_bytes(tfic.encode(model, image))

        def read(image: np.ndarray) -> None:
            reader.read(pixels.to_float(image))

        for work in (encode, read):
            work(images[0])
        times = [(_milliseconds(encode, image), _milliseconds(read, image)) for image in images]
    encoding, reading = (list(column) for column in zip(*times, strict=True))
    return encoding, reading


def _milliseconds(work: Callable[[np.ndarray], None], image: np.ndarray) -> float:
    started = time.perf_counter()
    work(image)
    return 1e3 * (time.perf_counter() - started)


def _said(times: list[float]) -> str:
    return f"{statistics.fmean(times):.1f} ms (standard deviation {statistics.pstdev(times):.1f})"


if __name__ == "__main__":
    main()
