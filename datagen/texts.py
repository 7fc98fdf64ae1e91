"""What is written: words of a dictionary, random strings or a user's lines; each belongs to one split."""

import random
import string
from functools import cache
from pathlib import Path

from datagen import amounts, dictionary
from datagen.errors import SpecError
from datagen.lines import Characters, Texts, chance
from datagen.spec import DatasetSpec, Split, split_of

POOLS: dict[Characters, str] = {
    "letters": string.ascii_letters,
    "digits": string.digits,
    "symbols": string.punctuation.replace("<", "").replace(">", "").replace("=", ""),
}
"""Characters of random strings, as TextRecognitionDataGenerator has them."""
TRIES = 20_000
"""Random strings that are drawn before a split is said to own none."""
SYMBOLS = 0.3
"""Chance of a symbol at each place of every second random string: letters and digits are what is counted."""


def draw(spec: DatasetSpec, split: Split, rng: random.Random) -> str:
    """One text of a split.

    Raises:
        SpecError: the specification leaves none.
    """
    texts = spec.texts
    if texts.file is not None:
        return rng.choice(lines(spec, split))
    line = ""
    for _ in range(rng.randint(*texts.words)):
        piece = _piece(spec, split, rng)
        if line and len(line) + 1 + len(piece) > spec.longest:
            break
        line += " " * bool(line) + piece
    return line


def _piece(spec: DatasetSpec, split: Split, rng: random.Random) -> str:
    """A number, a random string or a word."""
    if chance(spec.texts.amounts, rng) and allowed(spec.texts, string.digits):
        return _amount(spec, split, rng)
    return _random(spec, split, rng) if rng.random() < spec.texts.random else _word(spec, split, rng)


def words(spec: DatasetSpec, split: Split) -> tuple[str, ...]:
    """The dictionary's words of one split, in its order; no word stands in two splits, whatever its case.

    Raises:
        SpecError: the dictionary is unknown, or leaves no word.
    """
    texts, seed = spec.texts, None if "words" in spec.shared else spec.seed
    found = dictionary.words(texts.language, texts.length, texts.characters, split, seed)
    if not found:
        raise SpecError(
            f"dictionary {texts.language!r} has no {split} word of {texts.length} characters that are all "
            "among those allowed"
        )
    return found


@cache
def lines(spec: DatasetSpec, split: Split) -> tuple[str, ...]:
    """The lines of the user's file that belong to one split, each once.

    Raises:
        SpecError: the file cannot be read, or leaves no line.
    """
    entries = _file(spec.texts)
    usable = [line for line in entries if not _fault(spec, line)]
    found = tuple(line for line in usable if _owns(spec, split, line))
    if not found:
        raise SpecError(
            f"{spec.texts.file}: {len(usable)} of {len(entries)} lines can be drawn, and none of them falls to "
            f"{split}; add lines, or share words"
            + (f" ({entries[0]!r:.40}: {_fault(spec, entries[0])})" if entries and not usable else "")
        )
    return found


def rejected(spec: DatasetSpec) -> dict[str, str]:
    """Why a line of the user's file is not written, by the line.

    Raises:
        SpecError: the file cannot be read.
    """
    if spec.texts.file is None:
        return {}
    faults = {line: _fault(spec, line) for line in _file(spec.texts) if line}
    return {line: fault for line, fault in faults.items() if fault}


def _file(texts: Texts) -> tuple[str, ...]:
    """The lines of the user's file, each once."""
    assert texts.file is not None, "called for a file"
    try:
        # Windows marks the beginning.
        text = dictionary.composed(Path(texts.file).read_text(encoding="utf-8-sig"))
        return tuple(dict.fromkeys(map(str.strip, text.splitlines())))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{texts.file} cannot be read: {error}") from error


def _fault(spec: DatasetSpec, line: str) -> str:
    """What keeps a line from being written; empty if nothing does."""
    if strange := "".join(sorted(set(line) - dictionary.character_set(spec.texts.characters))):
        return f"it has {strange!r}, which texts.characters leaves out"
    if len(line) > spec.longest:
        return f"it has more than the {spec.longest} characters that the canvas has room for"
    return "" if dictionary.counts(line) else "it has no letter and no digit"


def allowed(texts: Texts, text: str) -> bool:
    """Whether a text is made of the allowed characters."""
    return dictionary.character_set(texts.characters).issuperset(text)


def _word(spec: DatasetSpec, split: Split, rng: random.Random) -> str:
    """A word in the case that chance wants, if its characters are allowed so."""
    forms, case = dictionary.forms(rng.choice(words(spec, split))), rng.random()
    small, capitalized, capitals = forms
    wanted = small
    if case < spec.texts.upper:
        wanted = capitals
    elif case < spec.texts.upper + spec.texts.capitalized:
        wanted = capitalized
    return next(form for form in (wanted, *forms) if allowed(spec.texts, form))


def _random(spec: DatasetSpec, split: Split, rng: random.Random) -> str:
    """A string of some of the pools, drawn until it is this split's."""
    plain, symbols = _pools(spec.texts)
    for _ in range(TRIES):
        pool = "".join(rng.sample(plain, rng.randint(1, len(plain))))
        share = SYMBOLS if symbols and rng.random() < 0.5 else 0.0
        length = rng.randint(*spec.texts.length)
        text = "".join(rng.choice(symbols if rng.random() < share else pool) for _ in range(length))
        if dictionary.counts(text) and _owns(spec, split, text):
            return text
    raise SpecError(
        f"no random string of {spec.texts.length} characters falls to {split}; make --texts.length longer, or name "
        "more in --texts.pool or --texts.characters"
    )


def _amount(spec: DatasetSpec, split: Split, rng: random.Random) -> str:
    """A number in one of the forms that the allowed characters leave, drawn until it is this split's."""
    drawn = iter(lambda: amounts.draw(rng), None)
    return next(text for text in drawn if allowed(spec.texts, text) and _owns(spec, split, text))


@cache
def _pools(texts: Texts) -> tuple[list[str], str]:
    """Letters and digits, as far as they are asked for and allowed, and symbols."""
    pools = {kind: "".join(c for c in POOLS[kind] if c in texts.characters) for kind in texts.pool}
    symbols = pools.pop("symbols", "")
    plain = [pool for pool in pools.values() if pool]
    if not plain:
        raise SpecError(f"pool={texts.pool} leaves no letter and no digit among the allowed characters")
    return plain, symbols


def _owns(spec: DatasetSpec, split: Split, text: str) -> bool:
    return "words" in spec.shared or split_of(text, spec.seed) == split
