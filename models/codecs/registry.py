"""Image codecs by name: x -> y, z -> bytes -> x_hat."""

from collections.abc import Callable

from models.codecs import compressai_zoo, small
from models.codecs.base import Codec
from models.codecs.tinylic import TinyLIC
from models.errors import ModelError

CODECS: dict[str, Callable[[], Codec]] = {
    "small": small.codec,
    "factorized": compressai_zoo.factorized,
    "hyperprior": compressai_zoo.hyperprior,
    "mbt2018-mean": compressai_zoo.mbt2018_mean,
    "mbt2018": compressai_zoo.mbt2018,
    "cheng2020-anchor": compressai_zoo.cheng2020_anchor,
    "cheng2020-attn": compressai_zoo.cheng2020_attn,
    "elic": compressai_zoo.elic,
    "tinylic": TinyLIC,
}

BYTES_PER_PIXEL = {
    "small": 130,
    "factorized": 760,
    "hyperprior": 830,
    "mbt2018-mean": 850,
    "mbt2018": 1020,
    "cheng2020-anchor": 900,
    "cheng2020-attn": 900,
    "elic": 980,
    "tinylic": 1740,
}
"""Memory that coding or decoding an image takes at its peak: the first four measured on a CPU, by an allocator that
holds nothing, and an eighth more, for allocators differ; the others by one that holds memory, and as much more as the
first four took then."""


def require(name: str) -> None:
    """Checks that a codec has that name.

    Raises:
        ModelError: none has.
    """
    if name not in CODECS:
        raise ModelError(f"no codec is called {name!r}; there is {', '.join(CODECS)}")


def build(name: str) -> Codec:
    """A fresh codec; its weights follow torch's global random state.

    Raises:
        ModelError: no codec has that name.
    """
    require(name)
    return CODECS[name]()
