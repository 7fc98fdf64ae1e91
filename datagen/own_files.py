"""A user's own files that a specification names: lines of text, fonts, photos."""

import hashlib
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from datagen import fitting
from datagen.errors import SpecError
from datagen.spec import DatasetSpec

FONTS = frozenset({".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2"})
"""Endings of font files; of a collection, the first font is taken."""


def with_checksum(spec: DatasetSpec) -> DatasetSpec:
    """The specification with the checksum of the files that it names, so that other contents are another data set.

    Raises:
        SpecError: one of them is missing or cannot be read.
    """
    named = [(spec.texts.file, ()), (spec.fonts, FONTS), (spec.photos, fitting.endings()), (spec.more_fonts, FONTS)]
    named = [(Path(path), endings) for path, endings in named if path is not None]
    if not named:
        return spec
    digest = hashlib.sha256()
    for path, endings in named:
        file = path
        try:
            for file in _named(path, endings):
                digest.update(os.fsencode(file.relative_to(path) if path.is_dir() else file.name))
                digest.update(file.read_bytes())
        except OSError as error:
            raise SpecError(f"{file} cannot be read ({error.strerror})") from error
    return replace(spec, contents=digest.hexdigest())


def with_absolute_paths(spec: DatasetSpec) -> DatasetSpec:
    """The specification with absolute paths: who draws it may stand in another folder."""
    named = (spec.texts.file, spec.fonts, spec.photos, spec.more_fonts)
    file, fonts, photos, more = (None if path is None else str(Path(path).absolute()) for path in named)
    return replace(spec, texts=replace(spec.texts, file=file), fonts=fonts, photos=photos, more_fonts=more)


def files(folder: Path, endings: Collection[str]) -> list[Path]:
    """The files with one of these endings in a folder and its subfolders, by path; hidden ones are left alone."""
    found = (
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file()
    )
    return sorted(folder / path for path in found if not any(part.startswith(".") for part in path.parts))


def usable(
    folder: Path, endings: Collection[str], fault: Callable[[Path], str]
) -> tuple[tuple[Path, ...], dict[str, str]]:
    """A folder's files that have no fault, and what is wrong with the others, by their names.

    Args:
        fault: what keeps a file from being used; empty if nothing does.
    """
    faults = {file: fault(file) for file in files(folder, endings)}
    named = {_shown(file.relative_to(folder)): fault for file, fault in faults.items() if fault}
    return tuple(file for file in faults if not faults[file]), {
        name: f"{name} {fault}" for name, fault in named.items()
    }


def _shown(path: Path) -> str:
    # A file's name may be of bytes that are no text.
    return os.fsencode(path).decode(errors="replace")


def _named(path: Path, endings: Collection[str]) -> list[Path]:
    if not path.exists():
        raise SpecError(f"{path} does not exist")
    return files(path, endings) if endings and path.is_dir() else [path]
