"""Compresses an image to a .tfic file on a device without PyTorch.

python encode.py photo.png photo.tfic

It needs numpy, pillow, onnxruntime and constriction 0.5, and beside it the two files that python -m models
export-encoder wrote with it. docs/formats.md of that project says what a .tfic file holds. OMP_NUM_THREADS says how
many threads work; by default ONNX Runtime chooses.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import constriction
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageOps

AnsCoder = constriction.stream.stack.AnsCoder
Categorical, Uniform = constriction.stream.model.Categorical, constriction.stream.model.Uniform
GRAPH, TABLES = "encoder.onnx", "encoder.npz"
GREY, MASK_BYTES = 2, 8
START, TOTAL, LARGEST = 1 << 24, 1 << 16, 1 << 26
LENGTH, NIBBLE, SHIFTS = Uniform(9), Uniform(16), 4 * np.arange(8)


class Encoder:
    """Pixels of one size -> the bytes of a .tfic file."""

    def __init__(self, graph: bytes, content: Mapping[str, NDArray[Any]]) -> None:
        """`graph` and `content` are those of the two files."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._content = {name: content[name] for name in ("header", "fingerprint", "frequencies", "least", "others")}

    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """The file of an image (h, w, 3), or (h, w) in grey; a ValueError if it has another size."""
        height, width = self._session.get_inputs()[0].shape[:2]
        if image.shape[:2] != (height, width):
            raise ValueError(f"the image is {image.shape[1]}x{image.shape[0]}, this encoder's are {width}x{height}")
        stream = self.stream(self.latents(image))
        first, *rest = self._content["header"].tolist()
        header = bytes([first + GREY * (image.ndim == 2), *rest])
        bound = self._content["fingerprint"].tobytes() + header + repr((width, height)).encode()
        mask = hashlib.sha256(bound).digest()[:MASK_BYTES]
        return header + bytes(a ^ b for a, b in zip(stream, mask, strict=False)) + stream[MASK_BYTES:]

    def latents(self, image: NDArray[np.uint8]) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """The symbols of each latent, in the order of the stream, and the table of each symbol."""
        colors = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image
        outputs = self._session.run(None, {"image": colors})
        return [*zip(outputs[::2], outputs[1::2], strict=True)]

    def stream(self, latents: list[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> bytes:
        """The entropy-coded latents; a ValueError if one is no number that can be coded."""
        if any(abs(symbols).max() >= LARGEST for symbols, _ in latents):
            raise ValueError("the codec makes no latents of this image that can be coded")
        coder = AnsCoder(np.array([START], np.uint32))
        for symbols, tables in reversed(latents):
            self._push(coder, symbols.ravel(), tables.ravel())
        return coder.get_compressed()[::-1].astype(">u4").tobytes().lstrip(b"\0")

    def _push(self, coder: AnsCoder, symbols: NDArray[np.int32], tables: NDArray[np.int32]) -> None:
        frequencies, least, all_others = (self._content[name] for name in ("frequencies", "least", "others"))
        order = tables.argsort(kind="stable")
        tables = tables[order]
        places, others = symbols[order] - least[tables], all_others[tables]
        missing = (places < 0) | (places >= others)
        _push_beyond(coder, places[missing], others[missing])
        found, starts = np.unique(tables, return_index=True)
        parts = np.split(np.where(missing, others, places), starts[1:])
        for table, part in reversed([*zip(found, parts, strict=True)]):
            shares = frequencies[table, : all_others[table] + 1].astype(np.float32) / TOTAL
            coder.encode_reverse(part, Categorical(shares, perfect=False))


def _push_beyond(coder: AnsCoder, places: NDArray[np.int32], others: NDArray[np.int32]) -> None:
    if len(places):
        distances = np.where(places < 0, -2 * places - 1, 2 * (places - others))
        shifted = distances[:, None] >> SHIFTS
        coder.encode_reverse((shifted & 15)[shifted > 0].astype(np.int32), NIBBLE)
        coder.encode_reverse((shifted > 0).sum(1).astype(np.int32), LENGTH)


def read(path: Path) -> NDArray[np.uint8]:
    """An image's pixels upright, RGB or grey; a ValueError if it has others."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
    if upright.mode not in ("1", "L", "RGB"):
        raise ValueError(f"{path} has pixels of mode {upright.mode}; save it in RGB or in grey")
    return np.asarray(upright.convert("L") if upright.mode == "1" else upright)


def main() -> None:
    """Writes the file that the command line names."""
    if len(sys.argv) != 3:
        sys.exit("usage: python encode.py IMAGE FILE")
    source, target, folder = Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).parent
    try:
        with np.load(folder / TABLES) as content:
            encoder = Encoder((folder / GRAPH).read_bytes(), content)
        data = encoder.encode(read(source))
        partial = target.with_name(f".{target.name}.partial")
        partial.write_bytes(data)
        partial.replace(target)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"{target}: {len(data)} bytes")


if __name__ == "__main__":
    main()
