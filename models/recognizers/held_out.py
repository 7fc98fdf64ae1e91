"""OCR engines that no codec is trained against: what they read tells whether a text stays legible to others."""

import os
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from models.errors import ModelError
from models.recognizers.base import Transcription

TESSDATA = ("/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/opt/homebrew/share/tessdata")
"""Where Debian, other Linux systems and Homebrew keep Tesseract's languages."""


@runtime_checkable
class Reader(Protocol):
    """Images -> text, without gradients."""

    def read(self, image: UInt8[NDArray[Any], "h w 3"]) -> Transcription:
        """The text of a line, with the engine's own score of it as the confidence."""
        ...


class Tesseract:
    """Tesseract's LSTM, English, told that each image is one line.

    Raises:
        ModelError: its binding or its English data are missing.
    """

    def __init__(self) -> None:
        try:
            import tesserocr  # pyright: ignore[reportMissingModuleSource]
        except ImportError as error:
            raise ModelError("its binding is missing: uv sync --inexact --extra tesseract") from error
        data = str(_tessdata())
        self._api: Any = tesserocr.PyTessBaseAPI(path=data, lang="eng", psm=tesserocr.PSM.SINGLE_LINE)

    def read(self, image: UInt8[NDArray[Any], "h w 3"]) -> Transcription:
        """The text of a line, and the mean of its words' scores."""
        height, width = image.shape[:2]
        self._api.SetImageBytes(image.tobytes(), width, height, 3, 3 * width)
        return Transcription(self._api.GetUTF8Text().strip(), self._api.MeanTextConf() / 100)


class RapidOcr:
    """PP-OCRv4's recognition network by ONNX Runtime, as RapidOCR runs it.

    Raises:
        ModelError: its package is missing.
    """

    def __init__(self) -> None:
        try:
            from rapidocr_onnxruntime import RapidOCR  # pyright: ignore[reportMissingModuleSource]
        except ImportError as error:
            raise ModelError("its package is missing: uv sync --inexact --extra rapidocr") from error
        self._engine: Any = RapidOCR(intra_op_num_threads=torch.get_num_threads())

    def read(self, image: UInt8[NDArray[Any], "h w 3"]) -> Transcription:
        """The text of a line, and the mean of its characters' probabilities."""
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        [[text, score]], _ = self._engine(bgr, use_det=False, use_cls=False)
        return Transcription(text, float(score))


READERS: dict[str, Callable[[], Reader]] = {"tesseract": Tesseract, "rapidocr": RapidOcr}
TAUGHT_BY = {"rapidocr": "ppocr"}
"""Readers that are held out no more when a recognizer of that name teaches: it is the same network."""


def opened(configs: Container[str]) -> tuple[dict[str, Reader], dict[str, str]]:
    """The readers that are here and teach nothing, for they are not among the names; of the others, why not."""
    readers: dict[str, Reader] = {}
    reasons: dict[str, str] = {}
    for name, reader in READERS.items():
        try:
            if (recognizer_config := TAUGHT_BY.get(name)) and recognizer_config in configs:
                raise ModelError(f"it is {recognizer_config}, which teaches, and so not held out")
            readers[name] = reader()
        except ModelError as error:
            reasons[name] = str(error)
    return readers, reasons


def _tessdata() -> Path:
    places = [Path(os.environ[name]) for name in ("TESSDATA_PREFIX",) if name in os.environ]
    places += [place for pattern in TESSDATA for place in Path("/").glob(pattern.removeprefix("/"))]
    for place in places:
        if (place / "eng.traineddata").is_file():
            return place
    raise ModelError("its English data are missing: apt-get install tesseract-ocr, or set TESSDATA_PREFIX")
