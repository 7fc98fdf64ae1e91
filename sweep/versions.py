"""A number for each thing that weights and readings come out of, raised where the same configuration gives others.

It stands in the keys of all that depends on it, so that nothing is taken over from another version. Beside it stands a
checksum of its sources: where the two part, tests/sweep/test_versions.py fails and prints the lines to paste here.
"""

from dataclasses import dataclass
from typing import NamedTuple

from datagen.spec import RENDERER


class Version(NamedTuple):
    """Of one thing."""

    number: int
    sources: str
    """Checksum of the sources that had this number last."""


TABLE: dict[str, Version] = {
    "renderer": Version(RENDERER, "869375ac9912"),
    "training": Version(1, "2485d170b1e3"),
    "conditioning": Version(1, "e5b5fd32f131"),
    "recognizers": Version(1, "85ca3bb83530"),
    "small": Version(1, "bc6f300aa91f"),
    "factorized": Version(1, "842df53874bb"),
    "hyperprior": Version(1, "8301113c260c"),
    "mbt2018-mean": Version(1, "8301113c260c"),
    "mbt2018": Version(1, "bb24027376fa"),
    "cheng2020-anchor": Version(1, "bb24027376fa"),
    "cheng2020-attn": Version(1, "bb24027376fa"),
    "elic": Version(1, "454256fccad7"),
    "tinylic": Version(1, "e8e1a35832d7"),
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
    """Those of this code, with a codec."""
    shared = {name: TABLE[name].number for name in ("renderer", "training", "conditioning", "recognizers")}
    return Versions(**shared, codec=TABLE[codec].number)
