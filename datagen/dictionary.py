"""Words of TextRecognitionDataGenerator's dictionaries, and what of a text counts."""

import importlib.util
import unicodedata
from functools import cache
from pathlib import Path

from datagen.errors import SpecError
from datagen.spec import Split, split_of


@cache
def words(language: str, length: tuple[int, int], characters: str, split: Split, seed: int | None) -> tuple[str, ...]:
    """A split's words; without a seed, all words are every split's. The scenes of a data set share them."""
    entries = _dictionary(language, length, characters)
    return entries if seed is None else tuple(word for word in entries if split_of(word, seed) == split)


def forms(word: str) -> tuple[str, str, str]:
    """A word as it is, with a capital first letter, and all in capitals."""
    return word, word[:1].upper() + word[1:], word.upper()


@cache
def _dictionary(language: str, length: tuple[int, int], characters: str) -> tuple[str, ...]:
    path = trdg() / "dicts" / f"{language}.txt"
    if not path.is_file():
        known = ", ".join(sorted(entry.stem for entry in path.parent.glob("*.txt")))
        raise SpecError(f"no dictionary for language {language!r}; TextRecognitionDataGenerator has {known}")
    least, most = length
    # Spanish and Hindi have words that are not in UTF-8; what replaces their bytes is no allowed character.
    entries = dict.fromkeys(composed(path.read_text(encoding="utf-8", errors="replace")).split())
    fitting = (word for word in entries if least <= len(word) <= most and counts(word))
    fits = character_set(characters).issuperset
    return tuple(word for word in fitting if any(map(fits, forms(word))))


@cache
def character_set(characters: str) -> frozenset[str]:
    """Allowed characters, to be asked for many."""
    return frozenset(composed(characters))


def composed(text: str) -> str:
    """A text whose accents are parts of their letters, as the recognizers know them."""
    return unicodedata.normalize("NFC", text)


def counts(text: str) -> bool:
    """Whether accuracy, which is of letters and digits, has anything to count."""
    return any(character.isalnum() for character in text)


@cache
def trdg() -> Path:
    """Where TextRecognitionDataGenerator keeps dictionaries, fonts and photos."""
    spec = importlib.util.find_spec("trdg")
    assert spec is not None, "trdg is a dependency of this package"
    return Path(str(spec.origin)).parent
