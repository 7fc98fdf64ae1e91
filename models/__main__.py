"""Command line: compress images, restore them, read their text."""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.markup import escape

from models.errors import FormatError, ModelError


@dataclass(frozen=True, kw_only=True)
class Compress:
    """Compresses an image to a .tfic file."""

    image: tyro.conf.Positional[Path]
    """PNG, JPEG, WebP, ... of any size."""
    file: tyro.conf.Positional[Path]
    """The .tfic file to write."""
    model: Path
    """Codec that python -m sweep.pick exported."""
    bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP")] = None
    """Most bits per pixel of the whole file; of a model with a dial."""
    quality: Annotated[int | None, tyro.conf.arg(metavar="0..100")] = None
    """Position of a model's dial: 0 is the smallest file, 100 the best."""

    def run(self) -> None:
        """Writes the file and prints its size and rate."""
        from models import container, trained

        if self.bpp is not None and self.quality is not None:
            raise ModelError("--bpp and --quality exclude each other; give one")
        image, model = _read_image(self.image), trained.load(self.model)
        if self.bpp is not None:
            data = container.encode_within(model, image, self.bpp)
        else:
            data = container.encode(model, image, self.quality)
        _write(self.file, data)
        height, width = image.shape[:2]
        print(f"{self.file}: {len(data)} bytes, {8 * len(data) / (height * width):.4f} bpp, {width}x{height}")


@dataclass(frozen=True, kw_only=True)
class Decompress:
    """Restores the image of a .tfic file."""

    file: tyro.conf.Positional[Path]
    """The .tfic file to read."""
    image: tyro.conf.Positional[Path]
    """Image to write; its ending names the format."""
    model: Path
    """The codec that compressed it."""

    def run(self) -> None:
        """Writes the image and prints its size."""
        from models import container, trained

        image = Image.fromarray(container.decode(trained.load(self.model), _read(self.file)))
        try:
            image.save(self.image)
        except (OSError, ValueError) as error:
            raise FormatError(f"{self.image} cannot be written ({error})") from None
        print(f"{self.image}: {image.width}x{image.height}")


@dataclass(frozen=True, kw_only=True)
class Read:
    """Prints the text in a .tfic file, as the (first) recognizer that trained the codec reads it."""

    file: tyro.conf.Positional[Path]
    """The .tfic file to read."""
    model: Path
    """The codec that compressed it."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION")] = None
    """Your own recognizer, if the sweep was given one: it is imported and called."""
    recognizer_weights: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The recognizer's checkpoint, if the sweep was given one."""

    def run(self) -> None:
        """Prints the text."""
        from models import container, recognizers, teachers, trained

        model = trained.load(self.model)
        image = container.to_float(container.decode(model, _read(self.file)))
        name = teachers.reading(model.recognizer_name)
        reader = recognizers.load_identified(name, self.recognizer_weights, self.recognizer)
        print(reader.read(image)[0])


Command = (
    Annotated[Compress, tyro.conf.subcommand("compress")]
    | Annotated[Decompress, tyro.conf.subcommand("decompress")]
    | Annotated[Read, tyro.conf.subcommand("read")]
)


def main() -> int:
    """Runs the command and returns its exit code."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
    command = tyro.cli(Command, prog="python -m models", description="Compresses text images for OCR.")
    try:
        command.run()
    except ModelError as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 2
    return 0


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.has_transparency_data:
                raise FormatError(f"{path} has transparency, which .tfic does not keep; flatten it on a background")
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise FormatError(f"{path} cannot be read as an image ({error})") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror})") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise FormatError(f"{path} cannot be written ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(main())
