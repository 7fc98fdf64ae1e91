"""What is decoded: .tfic files, and the images of archives, which are read as if they were folders of such files."""

import fnmatch
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from numpy.typing import NDArray

from models.errors import FormatError
from models.files import disk, jobs, tfic
from models.files.jobs import ARCHIVE, ENDING, Job
from models.files.model import Model
from models.files.tfics import Archive


def sources(source: str) -> list[Path]:
    """The images that `source` names, each as a path; one in an archive has the archive's path before its name.

    An archive that is damaged comes after its images.

    Args:
        source: a file, folder or pattern, as of `jobs.sources`; or an archive's path, a slash, and an image's name or a
            pattern of names.

    Raises:
        FormatError: there is none, or an archive cannot be read.
    """
    if (archive := enclosing(Path(source))) is not None:
        return _chosen(archive, Path(source))
    return [path for file in jobs.sources(source, (ENDING, ARCHIVE)) for path in _contents(file)]


def find(source: str, target: str) -> list[Job]:
    """The images of `sources`, and the PNG file that each becomes.

    Args:
        target: of one image as of `jobs.find`; of an archive a folder. An archive in a folder becomes a folder there.

    Raises:
        FormatError: as `sources` and `jobs.find`.
    """
    archive = enclosing(Path(source))
    if archive is None:
        found = jobs.find(source, target, (ENDING, ARCHIVE), ".png")
        return [each for job in found for each in _unpacked(job)]
    paths = _chosen(archive, Path(source))
    if paths == [Path(source)]:
        return [Job(paths[0], jobs.alone(paths[0].with_name(f"{paths[0].name}{ENDING}"), target, ".png"))]
    return [_below(path, archive, Path(target)) for path in paths]


class Opener:
    """Decodes images by their paths."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._opened: tuple[Path, Archive] | None = None

    def image(self, path: Path) -> UInt8[NDArray[Any], "h w *_c"]:
        """The image of a path as `sources` gives it.

        Raises:
            FormatError: the file cannot be read or decoded, or it is a damaged archive.
        """
        place = enclosing(path)
        if place is None:
            return tfic.decode(self._model, disk.read(path))
        if self._opened is None or self._opened[0] != place:
            self._opened = place, Archive(disk.read(place))
        archive = self._opened[1]
        if path == place:
            raise FormatError(archive.damage)
        return archive.image(self._model, path.relative_to(place).as_posix())


def enclosing(path: Path) -> Path | None:
    """The archive that a path is, or that lies on its way."""
    try:
        return next((way for way in (path, *path.parents) if way.suffix.casefold() == ARCHIVE and way.is_file()), None)
    # Whoever reads it says what is wrong with it.
    except OSError:
        return None


def opened(path: Path) -> Archive:
    """An archive.

    Raises:
        FormatError: it cannot be read, with its path.
    """
    try:
        return Archive(disk.read(path))
    except FormatError as error:
        raise FormatError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from error


def _contents(file: Path) -> list[Path]:
    if file.suffix.casefold() != ARCHIVE:
        return [file]
    archive = opened(file)
    return [*(file / name for name in archive.names), *([file] if archive.damage else [])]


def _chosen(archive: Path, source: Path) -> list[Path]:
    """The images in an archive that its path and a name or pattern ask for."""
    paths = _contents(archive)
    if source == archive:
        return paths
    chosen = [source] if source in paths else [path for path in paths if fnmatch.fnmatchcase(str(path), str(source))]
    if not chosen:
        raise FormatError(f"{archive} holds no {source.relative_to(archive)}; python -m models list {archive} lists it")
    return chosen


def _unpacked(job: Job) -> list[Job]:
    paths = _contents(job.source)
    if paths == [job.source] and job.source.suffix.casefold() != ARCHIVE:
        return [job]
    return [_below(path, job.source, job.target.with_suffix("")) for path in paths]


def _below(path: Path, archive: Path, folder: Path) -> Job:
    """An image of an archive, and its place in a folder."""
    return Job(path, folder / f"{path.relative_to(archive)}.png")
