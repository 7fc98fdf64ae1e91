"""python -m models compress: images -> .tfic files, or an archive of many."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from jaxtyping import UInt8
from numpy.typing import NDArray

from models.errors import ModelError, ReadingError
from models.files import disk, jobs, pictures
from models.files.jobs import ARCHIVE, ENDING
from models.shipped import DIAL, ModelFile

if TYPE_CHECKING:
    from models.files.framing import Head
    from models.files.model import Model
    from models.keeping import Keeper

Pixels = UInt8[NDArray[Any], "h w *_c"]
Encode = Callable[[Pixels, str], bytes]
"""An image, and what errors call it -> a file."""


@dataclass(frozen=True, kw_only=True)
class Compress:
    """Compresses images to .tfic files, or to an archive of many."""

    image: tyro.conf.Positional[str]
    """PNG, JPEG, WebP, ... of any size, in color or grey; a folder of them; or a pattern in quotes: 'scans/*.png'. An
    image whose letters are larger or smaller than the codec knows is coded at another scale; it comes back at its own
    size."""
    file: tyro.conf.Positional[str]
    """The .tfic file to write, or with a slash at its end a folder for it; of several, a folder, or with the ending
    .tfics one archive for all."""
    model: ModelFile = DIAL
    """Codec that python -m sweep.pick exported."""
    bpp: Annotated[float | None, tyro.conf.arg(metavar="BPP", help_behavior_hint="")] = None
    """Most bits per pixel of the whole file; of a model with a dial."""
    quality: Annotated[int | None, tyro.conf.arg(metavar="0..100", help_behavior_hint="")] = None
    """Position of a model's dial: 0 is the smallest file, 100 the best; without --bpp and --keep-reading, 50."""

    keep_reading: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Look for the smallest file of each image from which the recognizer that trained the codec still reads what it
    reads in the original; of a model with a dial. Where there is none, the file has the best quality, the image is
    named, and the exit code is 1."""
    recognizer: Annotated[str | None, tyro.conf.arg(metavar="MODULE:FUNCTION", help_behavior_hint="")] = None
    """With --keep-reading: your own recognizer, if the sweep was given one."""
    recognizer_weights: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """With --keep-reading: the recognizer's checkpoint, if the sweep was given one."""

    def run(self) -> None:
        """Writes the files and prints their sizes and rates."""
        from models.files.model import load_model

        self._check()
        # What an image is called in an archive is its path in a folder.
        packing = Path(self.file).suffix.casefold() == ARCHIVE
        places = ("", "") if packing else (self.file, ENDING)
        found = jobs.find(self.image, places[0], pictures.endings(), places[1])
        model = load_model(self.model)
        keeper = self._keeper(model)
        encode = self._encoder(model) if keeper is None else keeper.encode
        try:
            if packing:
                self._archive(model, found, encode, keeper)
            else:
                self._files(found, encode)
        finally:
            if keeper is not None:
                _tell(keeper)
        if keeper is not None and keeper.lost:
            raise ReadingError("not every reading is kept; the lines above name the images")

    def _check(self) -> None:
        options = {"--bpp": self.bpp, "--quality": self.quality, "--keep-reading": self.keep_reading or None}
        given = [option for option, value in options.items() if value is not None]
        if len(given) > 1:
            raise ModelError(f"{' and '.join(given)} exclude each other; give one")
        if self.bpp is not None and not 0 < self.bpp < math.inf:
            raise ModelError(f"--bpp {self.bpp:g} must be a number above 0")
        if not self.keep_reading and (self.recognizer, self.recognizer_weights) != (None, None):
            raise ModelError("--recognizer and --recognizer-weights are for --keep-reading; leave them out, or give it")

    def _keeper(self, model: "Model") -> "Keeper | None":
        if not self.keep_reading:
            return None
        from models import reading
        from models.keeping import Keeper

        return Keeper(model, reading.recognizer(model, self.recognizer_weights, self.recognizer))

    def _encoder(self, model: "Model") -> Encode:
        from models.files import tfic
        from models.files.scaling import chosen

        quality, bpp = position(model, self.quality), self.bpp
        if bpp is None:
            return lambda image, name: tfic.encode(model, image, quality, chosen(model, image, quality))
        return lambda image, name: tfic.encode_within(model, image, bpp, chosen(model, image, quality))

    def _files(self, found: list[jobs.Job], encode: Encode) -> None:
        """Writes a file for each image."""
        from models.files.framing import TficFile

        def work(job: jobs.Job) -> str:
            disk.check_target(job.target, job.source, ENDING)
            image = pictures.read(job.source)
            data = encode(image, str(job.source))
            with disk.writing(job.target) as partial:
                partial.write_bytes(data)
            at = _settings(TficFile.unpack(data).head)
            return f"{job.target}: {_rate(len(data), image.shape[0] * image.shape[1])}, {size(image)}{at}"

        jobs.run(found, work)

    def _archive(self, model: "Model", found: list[jobs.Job], encode: Encode, keeper: "Keeper | None") -> None:
        """Writes an archive of the images that can be read, then says whether there were others."""
        from models.files import tfics
        from models.files.framing import Head, TficFile
        from models.files.scaling import chosen

        target, archive, failure = Path(self.file), tfics.Writer(model), None
        disk.check_target(target, Path(self.image), ARCHIVE)
        searched, common = self.bpp is not None or keeper is not None, position(model, self.quality)

        def work(job: jobs.Job) -> str:
            image, name = pictures.read(job.source), job.target.as_posix()
            if searched:
                head = TficFile.unpack(encode(image, name)).head
            else:
                head = Head(quality=common, scale=chosen(model, image, common))
            archive.add(name, image, head.quality, head.scale)
            return f"{job.target}: {size(image)}{_settings(head)}"

        try:
            jobs.run(found, work)
        except ModelError as error:
            failure = error
        if archive.names:
            data, of = archive.pack()
            if keeper is not None:
                keeper.check(data)
            with disk.writing(target) as partial:
                partial.write_bytes(data)
            own = f"{of.names} of their names, {of.indexes} of the index"
            print(f"{target}: {_rate(len(data), archive.pixels)}, {len(archive.names)} images ({own})")
        if failure is not None:
            raise failure


def position(model: "Model", quality: int | None) -> int | None:
    """The position that all images have, of a model with a dial: the middle where none is asked for."""
    from models.files.model import MIDDLE, RateDial

    return MIDDLE if quality is None and isinstance(model, RateDial) else quality


def size(image: Pixels) -> str:
    """Width and height, as a command says them."""
    return f"{image.shape[1]}x{image.shape[0]}"


def _settings(head: "Head") -> str:
    """At what quality and scale an image is coded, as far as a model has the one and the image needs the other."""
    from models.files.framing import WHOLE

    quality = "" if head.quality is None else f", quality {head.quality}"
    return quality if head.scale == WHOLE else f"{quality}, at {head.scale / WHOLE:.0%} of the size"


def _rate(length: int, pixels: int) -> str:
    return f"{length} bytes, {8 * length / pixels:.4f} bpp"


def _tell(keeper: "Keeper") -> None:
    """Says how many readings are kept, and names the images of the others."""
    for name, read in keeper.lost.items():
        print(f"not kept: {name} (original: {read.original!r}, file: {read.file!r})", file=sys.stderr)
    if said := keeper.said():
        print(said)
