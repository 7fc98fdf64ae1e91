"""What every baseline offers: files from pixels, pixels from files, and what files of a batch repeat."""

from abc import ABC, abstractmethod
from typing import Any, Protocol, runtime_checkable

from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image

from models.baselines.containers.base import Container

Size = tuple[int, int]
"""Width and height, pixels."""


@runtime_checkable
class Baseline(Protocol):
    """A codec without training, at one setting."""

    @property
    def name(self) -> str:
        """The name of a curve: the codec without its setting."""
        ...

    @property
    def setting(self) -> str:
        """Where on its curve the codec stands, such as a quality."""
        ...

    @property
    def container(self) -> Container:
        """How a file of the codec comes apart."""
        ...

    def encode(self, image: UInt8[NDArray[Any], "h w 3"]) -> bytes:
        """The bytes of a file."""
        ...

    def decode(self, data: bytes, width: int, height: int) -> UInt8[NDArray[Any], "h w 3"]:
        """The image that a file holds, scaled back to the size of the original."""
        ...

    def repeated_bytes(self, data: bytes) -> int:
        """How many bytes of a file all files of a batch (one codec, setting and size of images) have in common."""
        ...


class Framed(ABC):
    """Counts repeated bytes by taking the file apart."""

    __slots__ = ()

    @property
    @abstractmethod
    def container(self) -> Container:
        """How a file of the codec comes apart."""

    def repeated_bytes(self, data: bytes) -> int:
        """Bytes of a file that a batch stores once: headers, tables, and lengths that follow from the rest."""
        return len(data) - len(self.container.split(data).own)


def shrunk(picture: Image.Image, divisor: float) -> Image.Image:
    """The picture with each side divided by `divisor`."""
    size = max(1, round(picture.width / divisor)), max(1, round(picture.height / divisor))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def at_scale(name: str, divisor: float) -> str:
    """A curve's name with the size of its images, such as webp-grey-1/2."""
    return name if divisor == 1 else f"{name}-1/{divisor:g}"
