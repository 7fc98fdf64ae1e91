"""python -m models export-encoder: a model -> what a device without PyTorch compresses with."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from models.compressing import position
from models.errors import ModelError
from models.shipped import DIAL, ModelFile

if TYPE_CHECKING:
    from models.files.model import Model, Size


@dataclass(frozen=True, kw_only=True)
class ExportEncoder:
    """Writes what a device without PyTorch compresses images of one size with: encode.py, and its networks (ONNX) and
    tables."""

    folder: tyro.conf.Positional[Path]
    """Folder for encode.py, encoder.onnx and encoder.npz, where earlier ones are replaced."""
    model: ModelFile = DIAL
    """Codec that python -m sweep.pick exported."""
    quality: Annotated[int | None, tyro.conf.arg(metavar="0..100", help_behavior_hint="")] = None
    """Position of a model's dial: 0 is the smallest file, 100 the best; by default 50."""
    size: Annotated[str | None, tyro.conf.arg(metavar="WIDTHxHEIGHT", help_behavior_hint="")] = None
    """The images' size in pixels; by default that of the images that trained the model."""

    def run(self) -> None:
        """Writes the files and says what they take."""
        from models.device.export import export
        from models.files.model import load_model

        model = load_model(self.model)
        size, quality = self._size(model), position(model, self.quality)
        export(model, self.folder, size, quality)
        at = "" if quality is None else f", quality {quality}"
        print(f"{self.folder / 'encode.py'}: images of {size.width}x{size.height}{at}")

    def _size(self, model: "Model") -> "Size":
        from models.files.model import Size

        if self.size is None:
            if model.canvas is None:
                raise ModelError(f"{self.model} does not say how large its images are; give --size WIDTHxHEIGHT")
            return model.canvas
        sides = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", self.size)
        if sides is None:
            raise ModelError(f"--size {self.size} is no size; write it as 256x64")
        return Size(*map(int, sides.groups()))
