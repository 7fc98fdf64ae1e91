"""A user's own files that a specification names: lines of text, fonts, photos."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from PIL import Image

from datagen.errors import SpecError
from datagen.fitting import FORMATS
from datagen.spec import DatasetSpec

FONTS = frozenset({".ttf", ".otf"})
"""Endings of font files."""


def sealed(spec: DatasetSpec) -> DatasetSpec:
    """The specification with the checksum of the files that it names, so that other contents are another data set.

    Raises:
        SpecError: one of them is missing or cannot be read.
    """
    named = [(spec.texts.file, ()), (spec.fonts, FONTS), (spec.photos, photo_endings())]
    named = [(Path(path), endings) for path, endings in named if path is not None]
    if not named:
        return spec
    digest = hashlib.sha256()
    for path, endings in named:
        file = path
        try:
            for file in _named(path, endings):
                digest.update(os.fsencode(file.name))
                digest.update(file.read_bytes())
        except OSError as error:
            raise SpecError(f"{file} cannot be read ({error.strerror})") from None
    return replace(spec, contents=digest.hexdigest())


def rooted(spec: DatasetSpec) -> DatasetSpec:
    """The specification with absolute paths: who draws it may stand in another folder."""
    file, fonts, photos = (
        None if path is None else str(Path(path).absolute()) for path in (spec.texts.file, spec.fonts, spec.photos)
    )
    return replace(spec, texts=replace(spec.texts, file=file), fonts=fonts, photos=photos)


def files(folder: Path, endings: Collection[str]) -> list[Path]:
    """A folder's files with one of these endings, by name."""
    return sorted(file for file in folder.glob("*") if file.suffix.lower() in endings and file.is_file())


def photo_endings() -> set[str]:
    """Of the files that are opened as photos."""
    return {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}


def _named(path: Path, endings: Collection[str]) -> list[Path]:
    if not path.exists():
        raise SpecError(f"{path} does not exist")
    return files(path, endings) if endings and path.is_dir() else [path]
