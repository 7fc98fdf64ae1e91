"""Images whose own names hold their texts, or that have a text file each beside them -> named items."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

from datagen.errors import DataError, ItemError
from datagen.items import Item, Source, listed, reader

NEARLY_ALL = 0.9
"""Share of the names that show what all of them are."""
FORMS = {
    "NUMBER_TEXT_NUMBER": re.compile(r"\d+_(?P<text>.+)_\d+"),
    "TEXT_NUMBER": re.compile(r"(?P<text>.+)_\d+"),
    "NUMBER_TEXT": re.compile(r"\d+_(?P<text>.+)"),
    "TEXT or TEXT_NUMBER": re.compile(r"(?P<text>.+?)(_\d+)?"),
}
"""What names are made of."""
COPY = re.compile(
    r"( - (copy|kopie|copie|copia|cópia)| (copy|kopie)( \d+)?| \((\d+|copy|another copy|\d+(st|nd|rd|th) copy)\))+$",
    re.IGNORECASE,
)
"""What Windows, macOS and Linux append to the name of a copy."""
NUMBERED = re.compile(r"^\d+_|_\d+$")
SIDECARS = (".gt.txt", ".txt")
"""Endings of a text file beside its image, as Tesseract's training has them, and others."""


def read(root: Path, images: list[Path]) -> Source:
    """The images of a folder, with the texts in their names.

    Raises:
        DataError: some names begin with a number and others do not, so that nothing tells which part is the text.
    """
    there = frozenset(images)
    stems = [_stem(file, there) for file in images]
    form = _form(stems)
    items = [_item(root, file, _text_in(stem, form)) for file, stem in zip(images, stems, strict=True)]
    return listed(f"texts in the images' names, {form}", items)


def unlabeled(root: Path, images: list[Path]) -> Source:
    """The images of a folder, of which nobody asks for a text."""
    return listed("no texts", [_item(root, file, None) for file in images])


def sidecars(images: list[Path], texts: Collection[Path]) -> dict[Path, Path]:
    """The text files that stand beside images, by image."""
    beside = {image: [image.with_name(image.stem + ending) for ending in SIDECARS] for image in images}
    return {image: found[0] for image, files in beside.items() if (found := [file for file in files if file in texts])}


def read_sidecars(root: Path, images: list[Path], texts: dict[Path, Path]) -> Source:
    """The images of a folder, with the texts of the files beside them."""
    missing = ItemError(f"no {' or '.join(SIDECARS)} file of its name stands beside it")
    items = [_item(root, file, _content(reader(root, texts[file])) if file in texts else missing) for file in images]
    return listed("texts from a text file beside each image", items)


def _item(root: Path, file: Path, label: object) -> Item:
    return Item(file.relative_to(root).as_posix(), reader(root, file), label)


def _content(read: Callable[[], bytes]) -> bytes | ItemError:
    try:
        return read()
    except ItemError as error:
        return ItemError(f"the text file beside it: {error}")


def _stem(file: Path, images: Collection[Path]) -> str:
    """A name without its ending and the mark of a copy."""
    bare = COPY.sub("", file.stem)
    return bare if NUMBERED.search(bare) or file.with_name(bare + file.suffix) in images else file.stem


def _form(stems: list[str]) -> str:
    """What nearly all names are made of."""
    fitting = {form for form, pattern in FORMS.items() if _share(stems, pattern) >= NEARLY_ALL}
    if {"TEXT_NUMBER", "NUMBER_TEXT"} <= fitting and "NUMBER_TEXT_NUMBER" not in fitting:
        first, last = ([stem.split("_")[place] for stem in stems] for place in (0, -1))
        return "NUMBER_TEXT" if len(set(first)) > len(set(last)) else "TEXT_NUMBER"
    numbered = _share(stems, FORMS["NUMBER_TEXT"])
    if not fitting & {"TEXT_NUMBER", "NUMBER_TEXT"} and numbered > 1 - NEARLY_ALL:
        first = next(filter(FORMS["NUMBER_TEXT"].fullmatch, stems))
        raise DataError(
            f"{round(numbered * len(stems))} of {len(stems)} names begin with a number ({first}), others do not, so "
            "that nothing tells which part is the text; name them all TEXT_NUMBER, or write a CSV file"
        )
    return next(form for form in FORMS if form in fitting)


def _share(stems: list[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(stem) is not None for stem in stems) / len(stems)


def _text_in(stem: str, form: str) -> str | ItemError:
    found = FORMS[form].fullmatch(stem)
    return found["text"] if found else ItemError(f"its name is not made of {form}, as those of the others are")
