"""What was understood of a source, told before anything is written, and what is doubtful about it."""

import re
import unicodedata
from collections import Counter
from pathlib import PurePath
from typing import NamedTuple

from datagen.errors import ItemError
from datagen.items import Source, printable

NEARLY_ALL = 0.9
"""Share of the texts that makes all of them doubtful."""
EXAMPLES = 5


class Survey(NamedTuple):
    """The texts of a source."""

    source: Source
    texts: int
    """Images that have a text."""
    distinct: int
    commonest: tuple[str, int]
    """The commonest text, and how often it stands."""
    examples: list[tuple[str, str]]
    """Name and text of some images, evenly spread."""
    doubt: str | None
    """Why they may be no texts."""

    def lines(self) -> list[str]:
        """What a user is told."""
        said = [f"{self.source.total} images, {self.source.kind}"]
        if not self.texts:
            return said
        width = max(len(repr(text)) for _, text in self.examples)
        said += [f"  {text!r:{width}}  {printable(name)}" for name, text in self.examples]
        text, times = self.commonest
        repeated = f"; the commonest, {text!r}, stands {times} times" if times > 1 else ""
        return [*said, f"{self.texts} texts, {self.distinct} distinct{repeated}"]


def survey(source: Source) -> Survey:
    """Looks at all labels of a source, and at no image."""
    texts = [(name, _text(label)) for name, label in source.labels() if not isinstance(label, ItemError)]
    counts = Counter(text for _, text in texts)
    commonest = counts.most_common(1)[0] if counts else ("", 0)
    examples = [texts[place * (len(texts) - 1) // max(1, EXAMPLES - 1)] for place in range(EXAMPLES)] if texts else []
    return Survey(
        source, len(texts), len(counts), commonest, list(dict.fromkeys(examples)), _doubt(texts, counts) or None
    )


def _text(label: object) -> str:
    """A label as it is shown, whatever it is."""
    text = label.decode("utf-8-sig", "replace") if isinstance(label, bytes) else str(label)
    return unicodedata.normalize("NFC", text).strip()


def _doubt(texts: list[tuple[str, str]], counts: Counter[str]) -> str:
    most = NEARLY_ALL * len(texts)
    if len(texts) < 2:
        return ""
    text, times = counts.most_common(1)[0]
    if times >= most:
        return f"{times} of {len(texts)} texts are {text!r}"
    if sum(text in PurePath(name).stem for name, text in texts) >= most and _differ_in_numbers(list(counts)):
        name, text = texts[0]
        return f"the texts look like the files' numbers: they differ in nothing else, as {text!r} of {printable(name)}"
    if _count_up(list(counts)) and len(counts) >= most:
        return f"the texts count up, from {min(counts, key=_number)} to {max(counts, key=_number)}"
    return ""


def _differ_in_numbers(texts: list[str]) -> bool:
    [(form, times)] = Counter(re.sub(r"\d+", "#", text) for text in texts).most_common(1)
    return "#" in form and times >= NEARLY_ALL * len(texts)


def _count_up(texts: list[str]) -> bool:
    """Whether nearly all are numbers without gaps between them."""
    numbers = {_number(text) for text in texts if text.isdecimal()}
    return len(numbers) >= NEARLY_ALL * len(texts) and max(numbers) - min(numbers) < len(numbers) / NEARLY_ALL


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
