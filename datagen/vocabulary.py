"""Words, fonts and photographs that TextRecognitionDataGenerator ships, and which split may use which word."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from datagen.errors import SpecError
from datagen.spec import DatasetSpec, Split

CHARACTERS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'-.&")
"""What every shipped font draws and every supported recognizer reads."""
READABLE = frozenset(map(chr, range(ord(" "), ord("~") + 1))) | {"€"}
"""What the recognizers read, drawn here or not."""

CAPITALS_ONLY = frozenset(
    {"AllerDisplay", "Amatic-Bold", "AmaticSC-Regular", "BEBAS___", "Capture_it", "Capture_it_2", "SEASRN__"}
)
"""Fonts that draw small letters as capitals: a text in them is labeled in capitals, as it looks."""


def words(spec: DatasetSpec, split: Split) -> tuple[str, ...]:
    """The words of one split, in dictionary order; no word stands in two splits, whatever its case.

    Raises:
        SpecError: the dictionary is unknown, or leaves no word of the asked length.
    """
    found = tuple(word for word in _dictionary(spec.language, spec.word_length) if split_of(word, spec.seed) == split)
    if not found:
        raise SpecError(f"dictionary {spec.language!r} has no {split} word of {spec.word_length} readable characters")
    return found


def split_of(word: str, seed: int) -> Split:
    """The split that owns a word: a tenth each for val and test, by a hash that ignores case."""
    tenth = hashlib.blake2b(f"{seed}/{word.casefold()}".encode(), digest_size=4).digest()
    match int.from_bytes(tenth) % 10:
        case 0:
            return "val"
        case 1:
            return "test"
        case _:
            return "train"


@cache
def fonts() -> tuple[Path, ...]:
    """TextRecognitionDataGenerator's Latin fonts, sorted by name."""
    return tuple(sorted((_trdg() / "fonts" / "latin").glob("*.ttf")))


def photos() -> Path:
    """The folder of TextRecognitionDataGenerator's background photographs."""
    return _trdg() / "images"


@cache
def _dictionary(language: str, length: tuple[int, int]) -> tuple[str, ...]:
    path = _trdg() / "dicts" / f"{language}.txt"
    if not path.is_file():
        known = ", ".join(sorted(entry.stem for entry in path.parent.glob("*.txt")))
        raise SpecError(f"no dictionary for language {language!r}; TextRecognitionDataGenerator has {known}")
    entries = path.read_text(encoding="utf-8").split()
    readable = (word for word in entries if length[0] <= len(word) <= length[1] and CHARACTERS.issuperset(word))
    return tuple(word for word in readable if any(character.isalnum() for character in word))


@cache
def _trdg() -> Path:
    spec = importlib.util.find_spec("trdg")
    assert spec is not None, "trdg is a dependency of this package"
    return Path(str(spec.origin)).parent
