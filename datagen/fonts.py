"""Fonts: which there are, and which a split may use."""

import hashlib
import itertools
import re
from functools import cache
from pathlib import Path

from datagen import glyphs, own_files
from datagen.dictionary import trdg
from datagen.errors import SpecError, reason
from datagen.spec import SPLITS, DatasetSpec, Split

DEAL: tuple[Split, ...] = ("train", "val", "test", "train", "train")
"""Splits that get the next family in turn, from the family of most fonts to those of one font: each split has both."""


@cache
def of_split(spec: DatasetSpec, split: Split) -> tuple[Path, ...]:
    """Fonts of one split, by name. Weights of one family stay together.

    Raises:
        SpecError: the folder has no fonts, or too few families for three splits.
    """
    found = tuple(font for folder in _folders(spec) for font in _fonts(folder, spec.texts.characters)[0])
    if "fonts" in spec.shared:
        return found
    families = [list(group) for _, group in itertools.groupby(sorted(found, key=_family), _family)]
    if len(families) < len(SPLITS):
        raise SpecError(
            f"{spec.fonts}: {len(families)} font families are too few for three splits that share none; add some, "
            "or share fonts"
        )
    ranked = sorted(families, key=lambda family: (-len(family), _hash(spec, family)))
    mine = itertools.compress(ranked, (owner == split for owner in itertools.cycle(DEAL)))
    return tuple(sorted(itertools.chain.from_iterable(mine)))


def _hash(spec: DatasetSpec, family: list[Path]) -> bytes:
    return hashlib.sha256(f"{spec.seed}/{_family(family[0])}".encode()).digest()


def rejected(spec: DatasetSpec) -> dict[str, str]:
    """Why a font of the user's is not used, by its file's name."""
    each = [_fonts(folder, spec.texts.characters)[1] for folder in _folders(spec)]
    return {name: fault for faults in each for name, fault in faults.items()}


def _folders(spec: DatasetSpec) -> list[str | None]:
    """Where fonts are taken from; None: TextRecognitionDataGenerator's."""
    return [spec.fonts] if spec.more_fonts is None else [spec.fonts, spec.more_fonts]


@cache
def _fonts(folder: str | None, characters: str) -> tuple[tuple[Path, ...], dict[str, str]]:
    """Fonts of a folder that can be used, and what is wrong with the others."""
    where = trdg() / "fonts" / "latin" if folder is None else Path(folder)
    found, faults = own_files.usable(where, own_files.FONTS, lambda font: _broken(font, characters))
    if not found:
        fault = next(iter(faults.values()), f"looked for {', '.join(sorted(own_files.FONTS))}")
        raise SpecError(f"{where} holds no fonts that can be used ({fault})")
    return found, faults


def _broken(font: Path, characters: str) -> str:
    """What keeps a font from being used at all."""
    try:
        glyphs.load(font, glyphs.PROBE)
    except OSError as error:
        return f"cannot be opened as a font: {reason(error)}"
    return (
        "" if any(glyphs.has(font, character) for character in characters) else "draws none of the allowed characters"
    )


@cache
def _family(font: Path) -> str:
    """First word of a font's name, which all weights and widths of a family share."""
    name = glyphs.load(font, glyphs.PROBE).getname()[0] or font.stem
    return re.split(r"[\s_-]+", name.casefold())[0]
