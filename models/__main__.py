"""Command line: compress images, restore them, read their text, of one file or many; list the codecs."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from jaxtyping import UInt8
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from models.console import ended
from models.errors import ModelError
from models.files import disk, jobs, pictures
from models.files.jobs import ARCHIVE, ENDING

if TYPE_CHECKING:
    from models.files.model import Model


@dataclass(frozen=True, kw_only=True)
class Compress:
    """Compresses images to .tfic files, or to an archive of many."""

    image: tyro.conf.Positional[str]
    """PNG, JPEG, WebP, ... of any size, in color or grey; a folder of them; or a pattern in quotes: 'scans/*.png'."""
    file: tyro.conf.Positional[str]
    """The .tfic file to write, or with a slash at its end a folder for it; of several, a folder, or with the ending
    .tfics one archive for all."""
    model: Path
    """Codec that python -m sweep.pick exported."""
    bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP", help_behavior_hint="")] = None
    """Most bits per pixel of the whole file; of a model with a dial."""
    quality: Annotated[int | None, tyro.conf.arg(metavar="0..100", help_behavior_hint="")] = None
    """Position of a model's dial: 0 is the smallest file, 100 the best."""

    def run(self) -> None:
        """Writes the files and prints their sizes and rates."""
        from models.files.model import load_model

        if self.bpp is not None and self.quality is not None:
            raise ModelError("--bpp and --quality exclude each other; give one")
        if self.bpp is not None and not 0 < self.bpp < math.inf:
            raise ModelError(f"--bpp {self.bpp:g} must be a number above 0")
        if Path(self.file).suffix.casefold() == ARCHIVE:
            # What an image is called in an archive is its path in a folder.
            found = jobs.find(self.image, "", pictures.endings(), "")
            self._archive(load_model(self.model), found)
        else:
            found = jobs.find(self.image, self.file, pictures.endings(), ENDING)
            self._files(load_model(self.model), found)

    def _files(self, model: "Model", found: list[jobs.Job]) -> None:
        """Writes a file for each image."""

        def work(job: jobs.Job) -> str:
            disk.check_target(job.target, job.source, ENDING)
            image = pictures.read(job.source)
            data = self._encoded(model, image)
            with disk.writing(job.target) as partial:
                partial.write_bytes(data)
            return f"{job.target}: {_rate(len(data), image.shape[0] * image.shape[1])}, {_size(image)}"

        jobs.run(found, work)

    def _archive(self, model: "Model", found: list[jobs.Job]) -> None:
        """Writes an archive of the images that can be read, then says whether there were others."""
        from models.files import tfics
        from models.files.framing import TficFile

        target, archive, failure = Path(self.file), tfics.Writer(model), None
        disk.check_target(target, Path(self.image), ARCHIVE)

        def work(job: jobs.Job) -> str:
            image, quality = pictures.read(job.source), self.quality
            if self.bpp is not None:
                quality = TficFile.unpack(self._encoded(model, image)).quality
            archive.add(job.target.as_posix(), image, quality)
            return f"{job.target}: {_size(image)}"

        try:
            jobs.run(found, work)
        except ModelError as error:
            failure = error
        if archive.names:
            data, of = archive.pack()
            with disk.writing(target) as partial:
                partial.write_bytes(data)
            own = f"{of.names} of their names, {of.indexes} of the index"
            print(f"{target}: {_rate(len(data), archive.pixels)}, {len(archive.names)} images ({own})")
        if failure is not None:
            raise failure

    def _encoded(self, model: "Model", image: UInt8[NDArray[Any], "h w *_c"]) -> bytes:
        """An image as a file of its own."""
        from models.files import tfic

        if self.bpp is not None:
            return tfic.encode_within(model, image, self.bpp)
        return tfic.encode(model, image, self.quality)


@dataclass(frozen=True, kw_only=True)
class Decompress:
    """Restores the images of .tfic files and archives."""

    file: tyro.conf.Positional[str]
    """The .tfic file or .tfics archive to read; one image of an archive: page.tfics/NAME; a folder; or a pattern in
    quotes."""
    image: tyro.conf.Positional[str]
    """Image to write, whose ending names the format, or with a slash at its end a folder for a PNG file; of several, a
    folder for PNG files, where none is replaced. What is lost of a damaged archive is named."""
    model: Path
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
            return f"{job.target}: {_size(image)}"

        jobs.run(found, work)


@dataclass(frozen=True, kw_only=True)
class Read:
    """Prints the text in .tfic files and archives, as the (first) recognizer that trained the codec reads it; of
    several images, after their names and a tab."""

    file: tyro.conf.Positional[str]
    """The .tfic file or .tfics archive to read; one image of an archive: page.tfics/NAME; a folder; or a pattern in
    quotes."""
    model: Path
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
        from models.recognizers import ensemble
        from models.recognizers import registry as recognizers

        found = [jobs.Job(path) for path in opening.sources(self.file)]
        model = load_model(self.model)
        files = opening.Opener(model)
        name = ensemble.reading(model.recognizer_name)
        recognizer = recognizers.load_identified(name, self.recognizer_weights, self.recognizer)

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


def _rate(length: int, pixels: int) -> str:
    return f"{length} bytes, {8 * length / pixels:.4f} bpp"


def _size(image: UInt8[NDArray[Any], "h w *_c"]) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"


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
