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
    "renderer": Version(RENDERER, "87611b6a5bc7"),
    "training": Version(1, "c5af0ffd1e25"),
    "conditioning": Version(1, "097c5154bee5"),
    "recognizers": Version(1, "1b64cff60b06"),
    "small": Version(1, "df12843b1a20"),
    "factorized": Version(1, "c7dfa6895bce"),
    "hyperprior": Version(1, "71117ea1fed2"),
    "mbt2018-mean": Version(1, "71117ea1fed2"),
    "mbt2018": Version(1, "d88062bfe423"),
    "cheng2020-anchor": Version(1, "d88062bfe423"),
    "cheng2020-attn": Version(1, "d88062bfe423"),
    "elic": Version(1, "039a0cf69ba8"),
    "tinylic": Version(1, "3d83e8e6cb95"),
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
