"""Command line: compress images, restore them, read their text, of one file or many; list the codecs."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from models.console import ended
from models.errors import ModelError
from models.files import disk, pictures

ENDING = ".tfic"


@dataclass(frozen=True, kw_only=True)
class Compress:
    """Compresses images to .tfic files."""

    image: tyro.conf.Positional[str]
    """PNG, JPEG, WebP, ... of any size, in color or grey; a folder of them; or a pattern in quotes: 'scans/*.png'."""
    file: tyro.conf.Positional[str]
    """The .tfic file to write, or with a slash at its end a folder for it; of several, a folder."""
    model: Path
    """Codec that python -m sweep.pick exported."""
    bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP", help_behavior_hint="")] = None
    """Most bits per pixel of the whole file; of a model with a dial."""
    quality: Annotated[int | None, tyro.conf.arg(metavar="0..100", help_behavior_hint="")] = None
    """Position of a model's dial: 0 is the smallest file, 100 the best."""

    def run(self) -> None:
        """Writes the files and prints their sizes and rates."""
        from models.files import jobs, tfic
        from models.files.model import load_model

        if self.bpp is not None and self.quality is not None:
            raise ModelError("--bpp and --quality exclude each other; give one")
        if self.bpp is not None and not 0 < self.bpp < math.inf:
            raise ModelError(f"--bpp {self.bpp:g} must be a number above 0")
        found = jobs.find(self.image, self.file, pictures.endings(), ENDING)
        model = load_model(self.model)

        def work(job: jobs.Job) -> str:
            disk.check_target(job.target, job.source, ENDING)
            image = pictures.read(job.source)
            if self.bpp is not None:
                data = tfic.encode_within(model, image, self.bpp)
            else:
                data = tfic.encode(model, image, self.quality)
            with disk.writing(job.target) as partial:
                partial.write_bytes(data)
            height, width = image.shape[:2]
            return f"{job.target}: {len(data)} bytes, {8 * len(data) / (height * width):.4f} bpp, {width}x{height}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class Decompress:
    """Restores the images of .tfic files."""

    file: tyro.conf.Positional[str]
    """The .tfic file to read; a folder of them; or a pattern in quotes."""
    image: tyro.conf.Positional[str]
    """Image to write, whose ending names the format, or with a slash at its end a folder for a PNG file; of several, a
    folder for PNG files, where none is replaced."""
    model: Path
    """The codec that compressed it."""

    def run(self) -> None:
        """Writes the images and prints their sizes."""
        from models.files import jobs, tfic
        from models.files.model import load_model

        found = jobs.find(self.file, self.image, (ENDING,), ".png")
        model = load_model(self.model)

        def work(job: jobs.Job) -> str:
            # One that was named is meant; others may be originals.
            disk.check_target(job.target, job.source, job.target.suffix if job.target == Path(self.image) else None)
            image = tfic.decode(model, disk.read(job.source))
            pictures.write(job.target, image)
            return f"{job.target}: {image.shape[1]}x{image.shape[0]}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class Read:
    """Prints the text in .tfic files, as the (first) recognizer that trained the codec reads it; of several files,
    after their names and a tab."""

    file: tyro.conf.Positional[str]
    """The .tfic file to read; a folder of them; or a pattern in quotes."""
    model: Path
    """The codec that compressed it."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION")] = None
    """Your own recognizer, if the sweep was given one: it is imported and called."""
    recognizer_weights: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The recognizer's checkpoint, if the sweep was given one."""

    def run(self) -> None:
        """Prints the texts."""
        from models import reading
        from models.files import jobs
        from models.files.model import load_model
        from models.recognizers import ensemble
        from models.recognizers import registry as recognizers

        found = [jobs.Job(file) for file in jobs.sources(self.file, (ENDING,))]
        model = load_model(self.model)
        name = ensemble.reading(model.recognizer_name)
        recognizer = recognizers.load_identified(name, self.recognizer_weights, self.recognizer)

        def work(job: jobs.Job) -> str:
            text = reading.text(model, disk.read(job.source), recognizer, str(job.source))
            return text if len(found) == 1 else f"{job.source}\t{text}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class List:
    """Lists the codecs that --codec knows, and what each costs on this machine.

    A MAC is a multiplication with its addition; those of encoding and decoding are counted together. Times are of one
    image of 64x256 pixels. Weights are random: entropy coding with trained ones takes longer, by what the files hold.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")] = ()
    """Codecs to list; all by default."""

    def run(self) -> None:
        """Prints a row as soon as a codec is measured."""
        from models.codecs import costs
        from models.codecs import registry as codecs

        costs.show(self.names or tuple(codecs.CODECS), Console())


Command = (
    Annotated[Compress, tyro.conf.subcommand("compress")]
    | Annotated[Decompress, tyro.conf.subcommand("decompress")]
    | Annotated[Read, tyro.conf.subcommand("read")]
    | Annotated[List, tyro.conf.subcommand("list")]
)


def main() -> int:
    """Runs the command and returns its exit code."""
    command = tyro.cli(Command, prog="python -m models", description="Compresses text images for OCR.")
    try:
        command.run()
    except ModelError as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
