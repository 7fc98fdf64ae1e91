"""The text itself as bytes: an arithmetic code over characters, by how often they follow one another in other texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

END = 256
"""The symbol after a text's last byte, and before its first."""
PAIRS, SINGLES = 64, 4
"""Weights of how often a byte follows its neighbor, and of how often it occurs; each byte counts once besides."""


class TextCoder:
    """Text <-> bytes, without a header. Any text can be coded, one like those of `texts` in the fewest bytes."""

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` are others than those to be coded, such as the training split's."""
        pairs = Counter(pair for text in texts for pair in pairwise((END, *text.encode(), END)))
        singles = Counter[int]()
        for (_, symbol), count in pairs.items():
            singles[symbol] += count
        shares = [1 + SINGLES * singles[symbol] for symbol in range(END + 1)]
        self._frequencies = [[*shares] for _ in range(END + 1)]
        for (context, symbol), count in pairs.items():
            self._frequencies[context][symbol] += PAIRS * count * len(shares)

    def encode(self, text: str) -> bytes:
        """The shortest bytes whose value, as a binary fraction, lies in the text's interval."""
        low, width, whole = 0, 1, 1
        for context, symbol in pairwise((END, *text.encode(), END)):
            frequencies = self._frequencies[context]
            low = low * sum(frequencies) + width * sum(frequencies[:symbol])
            width, whole = width * frequencies[symbol], whole * sum(frequencies)
        return _shortest(low, width, whole)

    def decode(self, data: bytes) -> str:
        """The text of the bytes that `encode` gave."""
        value, whole = int.from_bytes(data), 256 ** len(data)
        text, context = bytearray(), END
        while True:
            frequencies = self._frequencies[context]
            symbol, start = _at(frequencies, value * sum(frequencies) // whole)
            value = value * sum(frequencies) - start * whole
            whole *= frequencies[symbol]
            if symbol == END:
                return text.decode()
            text.append(symbol)
            context = symbol


def _shortest(low: int, width: int, whole: int) -> bytes:
    """The fewest bytes whose fraction is at least low / whole and less than (low + width) / whole."""
    length = 0
    while True:
        scale = 256**length
        value = -(-low * scale // whole)
        if value * whole < (low + width) * scale:
            return value.to_bytes(length)
        length += 1


def _at(frequencies: Sequence[int], place: int) -> tuple[int, int]:
    """The symbol whose interval holds `place`, and where the interval starts."""
    start = 0
    for symbol, frequency in enumerate(frequencies):
        if place < start + frequency:
            return symbol, start
        start += frequency
    raise AssertionError(place)
