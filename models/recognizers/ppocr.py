"""PP-OCRv4's recognition network (PaddleOCR) in PyTorch, out of the ONNX file in rapidocr-onnxruntime's wheel."""

import importlib.util
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from models.errors import ModelError, WeightsError
from models.recognizers.ctc_attention import CtcRecognizer
from models.weights import sha256_of

FILE = "models/ch_PP-OCRv4_rec_infer.onnx"
SHA256 = "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"
HEIGHT = 48
COLUMNS = 37
"""Columns of an image 8 * 37 pixels wide, with which the network is converted: no other size within it is 37."""


class PpocrRecognizer(CtcRecognizer):
    """CTC over 6,624 characters, most of them Chinese; lines of 48 pixels height."""

    def lines(self, images: Float[Tensor, "b 3 h w"], scale: float = 1.0) -> Float[Tensor, "b 3 h2 w2"]:
        """Blue, green, red from -1 to 1, scaled as RapidOCR does; it has one size."""
        del scale
        size = HEIGHT, max(HEIGHT, math.ceil(HEIGHT * images.shape[3] / images.shape[2]))
        return (F.interpolate(images.flip(1), size, mode="bilinear", align_corners=False) - 0.5) / 0.5

    def forward(self, images: Float[Tensor, "b 3 h w"], scale: float = 1.0) -> Float[Tensor, "b t k"]:
        """Class scores at each column. In float32: on a CPU bfloat16 costs more in conversions than it saves."""
        with torch.autocast(images.device.type, enabled=False):
            return super().forward(images.float(), scale)

    def _scores(self, images: Float[Tensor, "b 3 h w"], scale: float) -> Float[Tensor, "b t k"]:
        """Never recorded: what onnx2torch makes waits for the GPU to tell sizes."""
        return self(images, scale)


def load() -> PpocrRecognizer:
    """The recognizer, converted in a few seconds, whatever the batch and the width of its images.

    Raises:
        ModelError: the packages that bring and convert it are not installed.
        WeightsError: its file has changed.
    """
    path = _path()
    try:
        onnx, onnx2torch, onnxslim = map(importlib.import_module, ("onnx", "onnx2torch", "onnxslim"))
    except ImportError as error:
        raise _absent(error.name or "onnx") from error
    model = onnx.load(path)
    characters = _characters(model)
    # Its shapes are computed as it runs, which onnx2torch cannot follow: they are computed once, for one size, ...
    shape = f"{model.graph.input[0].name}:1,3,{HEIGHT},{8 * COLUMNS}"
    model = onnxslim.slim(model, input_shapes=[shape], skip_fusion_patterns=["FusionGemm"])
    _free(model)
    _drop_softmax(model)
    return PpocrRecognizer(onnx2torch.convert(model), characters, HEIGHT)


def _characters(model: Any) -> str:
    [found] = [entry.value for entry in model.metadata_props if entry.key == "character"]
    return "".join(found.splitlines()) + " "


def _free(model: Any) -> None:
    """... and what of them depends on batch and width is left open."""
    import numpy as np
    from onnx import helper, numpy_helper  # pyright: ignore[reportMissingModuleSource]

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Reshape":
            tensor = constants[node.input[1]]
            sizes = numpy_helper.to_array(tensor).tolist()
            free = [0, *(-1 if size == COLUMNS else size for size in sizes[1:])]
            tensor.CopyFrom(numpy_helper.from_array(np.array(free, np.int64), tensor.name))
        elif node.op_type == "Slice":
            # Each takes one element along axis 0; onnx2torch's slices index with a list, which PyTorch gives up.
            gather = helper.make_node("Gather", node.input[:2], node.output, node.name, axis=0)
            node.CopyFrom(gather)


def _drop_softmax(model: Any) -> None:
    """Makes the scores before it the output: a loss wants their logarithm, exact where probabilities vanish."""
    graph = model.graph
    [softmax] = [node for node in graph.node if graph.output[0].name in node.output]
    graph.node.remove(softmax)
    graph.output[0].name = softmax.input[0]


def _path() -> Path:
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    if spec is None or spec.origin is None:
        raise _absent("rapidocr-onnxruntime")
    path = Path(spec.origin).parent / FILE
    if not path.is_file() or sha256_of(path) != SHA256:
        raise WeightsError(f"{path} is missing or another than ppocr's (sha256 {SHA256[:12]}…); install 1.4.4 of it")
    return path


def _absent(package: str) -> ModelError:
    return ModelError(f"ppocr needs the package {package}: uv sync --inexact --extra ppocr")
