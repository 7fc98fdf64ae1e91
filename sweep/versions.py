"""A number for each thing that weights and readings come out of, raised where the same configuration gives others.

It stands in the keys of all that depends on it, so that nothing is taken over from another version. Beside it stands a
checksum of its sources: where the two part, tests/sweep/test_versions.py fails and prints the lines to paste here.
"""

from dataclasses import dataclass
from typing import NamedTuple

from datagen.spec import RENDERER


class Version(NamedTuple):
    """The version of one thing that computes."""

    number: int
    sources: str
    """Checksum of the sources that had this number last."""


TABLE: dict[str, Version] = {
    "renderer": Version(RENDERER, "30a87a91317c"),
    "training": Version(1, "50e525186c3c"),
    "conditioning": Version(1, "5d31398332fc"),
    "recognizers": Version(1, "3da06701c5a2"),
    "small": Version(2, "f92916217e97"),
    "factorized": Version(2, "811f34101ef2"),
    "hyperprior": Version(2, "e9bc6e97bf31"),
    "mbt2018-mean": Version(2, "e9bc6e97bf31"),
    "mbt2018": Version(2, "b49ccd124290"),
    "cheng2020-anchor": Version(2, "b49ccd124290"),
    "cheng2020-attn": Version(2, "b49ccd124290"),
    "elic": Version(2, "14b5fead20eb"),
    "tinylic": Version(2, "7832259cc235"),
}
"""training: the loop, its optimizer and schedule, the batches, the objective. recognizers: their losses and what they
read. The renderer's number is datagen.spec's. All after it are codecs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """The numbers under which a run computes."""

    renderer: int
    training: int
    conditioning: int
    recognizers: int
    codec: int

    def differences(self, then: "Versions") -> set[str]:
        """Names of what has another number."""
        return {name for name in self.__slots__ if getattr(self, name) != getattr(then, name)}


def today(codec: str) -> Versions:
    """The versions of this code, with a codec."""
    shared = {name: TABLE[name].number for name in ("renderer", "training", "conditioning", "recognizers")}
    return Versions(**shared, codec=TABLE[codec].number)
