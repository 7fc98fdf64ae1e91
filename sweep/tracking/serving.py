"""A codec as MLflow serves it: bytes of images in, bytes of .tfic files out, or the text that is read in them.

MLflow copies this file and the package `models` into the model and runs the copy, so nothing is unpickled.
"""

# MLflow and pandas leave much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from jaxtyping import UInt8
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

from models import reading
from models.errors import ModelError
from models.files import pictures, tfic
from models.files.model import load_model
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from models.recognizers.base import FrozenRecognizer

GIVES = ("tfic", "text")
"""Values of the parameter `give`, and columns of the answers."""


class ServedCodec(PythonModel):
    """A codec of one rate."""

    def load_context(self, context: PythonModelContext) -> None:
        """Loads the codec."""
        self._model = load_model(Path(context.artifacts["model"]))

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride] - MLflow's own says that it returns nothing
        self, context: PythonModelContext | None, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """A row for each of the images.

        Args:
            context: MLflow's; not needed.
            model_input: a column `image` with the bytes of PNG, JPEG, ... files.
            params: `give`: "tfic" for the files, "text" for what the recognizer reads in them.

        Raises:
            MlflowException: an image cannot be compressed or read, or `give` is something else.
        """
        give = (params or {}).get("give", GIVES[0])
        try:
            if give not in GIVES:
                raise ModelError(f"give {give!r}: there is {' and '.join(GIVES)}")
            images: list[bytes] = [*model_input["image"]]
            files = [tfic.encode(self._model, _pixels(data, index)) for index, data in enumerate(images)]
            given = files if give == "tfic" else [self._text(data, index) for index, data in enumerate(files)]
        except ModelError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return pd.DataFrame({give: given})

    def _text(self, data: bytes, index: int) -> str:
        return reading.text(tfic.decode(self._model, data), self._recognizer, f"image {index}")

    @cached_property
    def _recognizer(self) -> FrozenRecognizer:
        """The (first) recognizer that trained the codec."""
        return recognizers.load_identified(ensemble.reading(self._model.recognizer_name))


def _pixels(data: bytes, index: int) -> UInt8[NDArray[Any], "h w *_c"]:
    """The pixels of an image file's bytes; errors call it by its index."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            return pictures.read(Path(file.name))
        except ModelError as error:
            raise ModelError(str(error).replace(file.name, f"image {index}")) from error


set_model(ServedCodec())
