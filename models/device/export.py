"""A model's encoder -> the files that a device without PyTorch needs."""

import importlib.util
import logging
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from models.codecs import entropy_coder
from models.codecs.base import Codec
from models.codecs.coding_tables import LARGEST
from models.codecs.entropy_coder import Latent
from models.device.portable import Portable
from models.errors import FormatError, ModelError
from models.files import disk, pixels, tfic
from models.files.framing import FINGERPRINT_BYTES, TficFile
from models.files.model import Model, Size

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
CODECS = ("small", "factorized", "hyperprior", "mbt2018-mean")
"""Those whose tables are chosen in float64: the others' depend on who computes."""


class Networks(nn.Module):
    """The networks of a codec that encode, with pixels at one end and what the entropy coder takes at the other."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, image: UInt8[Tensor, "h w 3"]) -> list[Int[Tensor, "1 _c _h _w"]]:
        """The symbols of a latent and the table of each symbol, then those of the next latent.

        Tables are numbered through all entropy models. A symbol that cannot be coded is given as `LARGEST`.
        """
        x = pixels.pad(image.permute(2, 0, 1).unsqueeze(0).float() / 255, self.codec.downsampling_factor)
        with Portable():
            latents = self.codec.coded(x)
        first, outputs = _first_tables(latents), list[Tensor]()
        for symbols, indexes, model in latents:
            # Whatever is no number is not below anything.
            outputs.append(torch.where(symbols.abs() < LARGEST, symbols, LARGEST).int())
            outputs.append((indexes + first[model]).int())
        return outputs


def export(model: Model, folder: Path, size: Size, quality: int | None = None) -> None:
    """Writes encoder.onnx, encoder.npz and encode.py, once a file that they make is decoded by PyTorch.

    `quality` is the position of a model's dial, 0 to 100.

    Raises:
        ModelError: packages are missing, or the codec cannot be exported.
        FormatError: images are too large, or a file cannot be written.
    """
    _check_packages()
    if model.codec_name not in CODECS:
        raise ModelError(f"the encoder of {model.codec_name} cannot be exported; of {', '.join(CODECS)} it can")
    from models.device import encode

    image = _noise(size)
    coded = tfic.coded(model, image, quality)
    entropy_coder.check_latents(*coded.latents)
    graph, content = networks(model.codec_at(quality), image), _content(model, coded)
    try:
        tfic.decode(model, encode.Encoder(graph, content).encode(image))
    except FormatError as error:
        raise ModelError("ONNX Runtime chooses other tables than PyTorch here; update onnxruntime and torch") from error
    packed = BytesIO()
    np.savez_compressed(packed, **content)
    script = Path(encode.__file__).read_bytes()
    for name, data in ((encode.GRAPH, graph), (encode.TABLES, packed.getvalue()), ("encode.py", script)):
        with disk.writing(folder / name) as partial:
            partial.write_bytes(data)


def networks(codec: Codec, image: UInt8[NDArray[Any], "h w 3"]) -> bytes:
    """What encodes images of the size of `image`, in ONNX."""
    write = cast(Any, torch.onnx.export)  # pyright: ignore[reportUnknownMemberType]
    # It tells what it could not make smaller.
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        program = write(Networks(codec).eval(), (torch.tensor(image),), input_names=["image"], verbose=False)
    return program.model_proto.SerializeToString()


def _noise(size: Size) -> UInt8[NDArray[Any], "h w 3"]:
    values = np.random.default_rng(0).bytes(3 * size.height * size.width)
    return np.frombuffer(values, np.uint8).reshape(size.height, size.width, 3)


def _check_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(f"export-encoder needs the package {missing[0]}: uv sync --inexact --extra onnx")


def _content(model: Model, coded: tfic.Coded) -> dict[str, NDArray[Any]]:
    """What a file takes beside the networks: its header, the fingerprint for its mask, and all tables."""
    fingerprint = model.fingerprint
    file = TficFile(fingerprint[:FINGERPRINT_BYTES], coded.head, b"")
    models = list(_first_tables(coded.latents))
    rows = [row for each in models for row in _frequencies(each)]
    frequencies = np.zeros((len(rows), max(map(len, rows))), np.uint16)
    for place, row in zip(frequencies, rows, strict=True):
        place[: len(row)] = row
    return {
        "header": np.frombuffer(file.header, np.uint8),
        "fingerprint": np.frombuffer(fingerprint, np.uint8),
        "frequencies": frequencies,
        "least": np.concatenate([_buffer(each, "_offset") for each in models]),
        "others": np.array([len(row) - 1 for row in rows], np.int32),
    }


def _first_tables(latents: Sequence[Latent]) -> dict[nn.Module, int]:
    """The entropy models in the order in which they code, and the number of each one's first table."""
    first, tables = dict[nn.Module, int](), 0
    for model in (latent.model for latent in latents):
        if model not in first:
            first[model] = tables
            tables += len(model.get_buffer("_offset"))
    return first


def _frequencies(model: nn.Module) -> list[NDArray[np.int32]]:
    """Of each table: of its symbols, from the least on, and of all others together."""
    cdf, length = _buffer(model, "_quantized_cdf"), _buffer(model, "_cdf_length")
    return [np.diff(row[:entries]) for row, entries in zip(cdf, length, strict=True)]


def _buffer(model: nn.Module, name: str) -> NDArray[np.int32]:
    return np.asarray(model.get_buffer(name).cpu(), np.int32)
