"""What every recognizer offers to training and measuring."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ModelError


class Transcription(NamedTuple):
    """What was read in an image."""

    text: str
    confidence: float | None = None
    """Probability, 0 to 1, that the recognizer itself gives to all of the text: p(text | image). None: it gives none.

    It multiplies over characters, so that a longer text has less; where it is calibrated, it is the share of such
    readings that are right from end to end.
    """


class FrozenRecognizer(nn.Module, ABC):
    """Images -> text, and a loss whose gradient reaches the images. It never changes.

    Where a kind of it says nothing else, it knows every character and tells them all apart.
    """

    def train(self, mode: bool = True) -> "FrozenRecognizer":
        """Keeps evaluation mode: a frozen recognizer's batch statistics do not move."""
        del mode
        return super().train(False)

    @abstractmethod
    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """Negative log likelihood of each text, nats per character (TFIC, section III-B).

        `scale` is the size at which it reads, as a share of its own: smaller is faster and reads less well. One that
        has a single size reads at that.

        Raises:
            ModelError: a text has a character that it does not know.
        """

    @abstractmethod
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Transcription]:
        """The text of each image, with its confidence; pixels range from 0 to 1."""

    @property
    def readable(self) -> str | None:
        """Every character that a text may have; None: any."""
        return None

    @property
    def others(self) -> "dict[str, FrozenRecognizer]":
        """Recognizers that teach beside the one that reads, by name."""
        return {}

    def as_read(self, text: str) -> str:
        """The text without the differences that it cannot tell, such as capitals."""
        return text

    def alignable(self, texts: Sequence[str], height: int, width: int, scale: float = 1.0) -> list[bool]:
        """Whether each text is short enough to be read at all in an image of so many pixels, at that `scale`.

        A text that is not has no loss. Where a kind of recognizer says nothing else, every text is.
        """
        return [True] * len(texts)

    def known(self, text: str) -> str:
        """The text without the characters that it does not know."""
        readable = self.readable
        return text if readable is None else "".join(character for character in text if character in readable)

    def check(self, texts: Iterable[str]) -> None:
        """Looks at all texts before a training does.

        Raises:
            ModelError: a character is unknown.
        """
        characters = set(chain.from_iterable(texts))
        if unknown := characters - set(self.known("".join(characters))):
            raise ModelError(f"the recognizer does not know {''.join(sorted(unknown))!r}; leave such texts out")
