"""Clean renderings of a user's images: black text on white, in a folder of their own, by the images' names."""

import os
from pathlib import Path

from datagen.errors import DataError, ItemError
from datagen.fitting import endings
from datagen.items import reader, spellings


def check(folder: Path, source: Path) -> None:
    """Looks whether there is a folder of renderings, apart from the images.

    Raises:
        DataError: there is none, or it would be taken for images.
    """
    if not folder.is_dir():
        raise DataError(f"--clean {folder} is no folder; give one with a rendering of each image, by the image's name")
    if source.is_dir() and Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(source)):
        raise DataError(f"--clean {folder} lies among the images of {source}; move the renderings out of it")


def read(folder: Path, name: str) -> bytes:
    """The file of the rendering of an image: the image's path below the folder, or that path with another ending.

    Raises:
        ItemError: there is none, or it cannot be read.
    """
    paths = [folder / spelled for spelled in spellings(name)]
    others = [path.parent / (path.stem + ending) for path in paths for ending in sorted(endings())]
    try:
        return reader(folder, *paths, *others)()
    except ItemError as error:
        raise ItemError(f"its clean rendering: {error}") from error
