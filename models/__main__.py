"""Command line: compress images, restore them, read their text, of one file or many; list the codecs; export the
encoder for devices without PyTorch."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from models import compressing
from models.compressing import Compress
from models.console import ended
from models.errors import ModelError, ReadingError
from models.exporting import ExportEncoder
from models.files import disk, jobs, pictures
from models.files.jobs import ARCHIVE
from models.shipped import DIAL, ModelFile


@dataclass(frozen=True, kw_only=True)
class Decompress:
    """Restores the images of .tfic files and archives."""

    file: tyro.conf.Positional[str]
    """The .tfic file or .tfics archive to read; one image of an archive: page.tfics/NAME; a folder; or a pattern in
    quotes."""
    image: tyro.conf.Positional[str]
    """Image to write, whose ending names the format, or with a slash at its end a folder for a PNG file; of several, a
    folder for PNG files, where none is replaced. What is lost of a damaged archive is named."""
    model: ModelFile = DIAL
    """The codec that compressed it."""

    def run(self) -> None:
        """Writes the images and prints their sizes."""
        from models.files import opening
        from models.files.model import load_model

        found = opening.find(self.file, self.image)
        files = opening.Opener(load_model(self.model))

        def work(job: jobs.Job) -> str:
            # One that was named is meant; others may be originals.
            disk.check_target(job.target, job.source, job.target.suffix if job.target == Path(self.image) else None)
            image = files.image(job.source)
            pictures.write(job.target, image)
            return f"{job.target}: {compressing.size(image)}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class Read:
    """Prints the text in .tfic files and archives, as the (first) recognizer that trained the codec reads it; of
    several images, after their names and a tab."""

    file: tyro.conf.Positional[str]
    """The .tfic file or .tfics archive to read; one image of an archive: page.tfics/NAME; a folder; or a pattern in
    quotes."""
    model: ModelFile = DIAL
    """The codec that compressed it."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION")] = None
    """Your own recognizer, if the sweep was given one: it is imported and called."""
    recognizer_weights: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The recognizer's checkpoint, if the sweep was given one."""

    def run(self) -> None:
        """Prints the texts."""
        from models import reading
        from models.files import opening
        from models.files.model import load_model

        found = [jobs.Job(path) for path in opening.sources(self.file)]
        model = load_model(self.model)
        files = opening.Opener(model)
        recognizer = reading.recognizer(model, self.recognizer_weights, self.recognizer)

        def work(job: jobs.Job) -> str:
            text = reading.text(files.image(job.source), recognizer, str(job.source))
            return text if len(found) == 1 else f"{job.source}\t{text}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class List:
    """Lists the images of archives; or the codecs that --codec knows, and what each costs on this machine.

    A MAC is a multiplication with its addition; those of encoding and decoding are counted together. Times are of one
    image of 64x256 pixels. Weights are random: entropy coding with trained ones takes longer, by what the files hold.
    """

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")] = ()
    """Archives (.tfics) or codecs to list; all codecs by default."""

    def run(self) -> None:
        """Prints a row as soon as a codec is measured, and the names in each archive."""
        from models.codecs import costs
        from models.codecs import registry as codecs
        from models.files import opening

        archives = [name for name in self.names if Path(name).suffix.casefold() == ARCHIVE]
        if wanted := [name for name in self.names or codecs.CODECS if name not in archives]:
            costs.show(tuple(wanted), Console())
        for name in archives:
            archive = opening.opened(Path(name))
            print(*archive.names, sep="\n")
            if archive.damage:
                raise ModelError(f"{name}: {archive.damage}")


Command = (
    Annotated[Compress, tyro.conf.subcommand("compress")]
    | Annotated[Decompress, tyro.conf.subcommand("decompress")]
    | Annotated[Read, tyro.conf.subcommand("read")]
    | Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[ExportEncoder, tyro.conf.subcommand("export-encoder")]
)


def main() -> int:
    """Runs the command and returns its exit code."""
    command = tyro.cli(Command, prog="python -m models", description="Compresses text images for OCR.")
    try:
        command.run()
    except ModelError as error:
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 1 if isinstance(error, ReadingError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
