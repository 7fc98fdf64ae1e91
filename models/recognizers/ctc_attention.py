"""Frozen recognizers: a network, the characters that its classes stand for, its loss and its reading."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.cuda_graphs import CudaGraphed
from models.errors import ModelError
from models.recognizers.base import FrozenRecognizer, Transcription
from models.recognizers.four_stage.network import StrNet
from models.recognizers.four_stage.prediction import END, GO

BLANK = 0
LONGEST = 25
"""Characters of a text that attention reads; the released checkpoints were trained on no longer ones."""


class ClassRecognizer(FrozenRecognizer):
    """A network with a class for each character. Texts are lowered where it knows no capital letters."""

    FIRST: ClassVar[int]
    """Number of the class of the first character."""

    def __init__(self, network: nn.Module, characters: str, height: int, width: int | None = None) -> None:
        """`characters[i]` is class i + FIRST of the network, which reads lines of `height` pixels.

        `width`: that of all lines, pixels; None keeps each image's aspect ratio.
        """
        super().__init__()
        # A third faster on a CPU than contiguous weights.
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.characters = characters
        self.height, self.width = height, width
        self._lowers = characters == characters.lower()
        self._classes = {character: index for index, character in enumerate(characters, start=self.FIRST)}

    def lines(self, images: Float[Tensor, "b 3 h w"], scale: float = 1.0) -> Float[Tensor, "b _c h2 w2"]:
        """What the network reads, at that share of `height`; a network of one width has one size."""
        return line(images, round(scale * self.height)) if self.width is None else line(images, self.height, self.width)

    @property
    def readable(self) -> str:
        """Characters of the classes, and their capitals where the recognizer lowers texts."""
        return self.characters + self.characters.upper() if self._lowers else self.characters

    def as_read(self, text: str) -> str:
        """The text without the capitals that it cannot tell."""
        return text.lower() if self._lowers else text

    def encode(self, text: str) -> list[int]:
        """Class of each character.

        Raises:
            ModelError: a character is unknown.
        """
        text = self.as_read(text)
        if not self._classes.keys() >= set(text):
            self.check([text])
        return [self._classes[character] for character in text]

    def spell(self, classes: list[int]) -> str:
        """Text of characters' classes."""
        return "".join(self.characters[index - self.FIRST] for index in classes)

    def transcribe(self, classes: list[list[int]], nll: Float[Tensor, " b"]) -> list[Transcription]:
        """Readings of characters' classes, given the negative log likelihood of each, nats."""
        likelihoods = cast("list[float]", nll.neg().exp().tolist())  # pyright: ignore[reportUnknownMemberType]
        return list(map(Transcription, map(self.spell, classes), likelihoods))


class CtcRecognizer(ClassRecognizer):
    """A recognizer with CTC output (Graves et al., ICML 2006)."""

    FIRST = BLANK + 1

    def __init__(self, network: nn.Module, characters: str, height: int, width: int | None = None) -> None:
        super().__init__(network, characters, height, width)
        self._replayed = CudaGraphed(self)

    def forward(self, images: Float[Tensor, "b 3 h w"], scale: float = 1.0) -> Float[Tensor, "b t k"]:
        """Class scores at each column, of lines scaled to that share of `height`."""
        return self.network(self.lines(images, scale))

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """CTC's negative log likelihood, divided by the text's length; nats per character.

        Raises:
            ModelError: a text has a character that the recognizer does not know, or is not `alignable`.
        """
        scores = self._replayed(images, scale=scale)
        encoded = [self.encode(text) for text in texts]
        self._check_columns(texts, encoded, scores.shape[1])
        lengths = torch.tensor([len(classes) for classes in encoded]).clamp(min=1)
        return _ctc_nll(scores, encoded) / lengths.to(images.device, non_blocking=True)

    @torch.no_grad()
    def alignable(self, texts: Sequence[str], height: int, width: int, scale: float = 1.0) -> list[bool]:
        """Whether the network has a column for each character, and a blank between two equal ones."""
        blank = torch.zeros(1, 3, height, width, device=next(self.parameters()).device)
        columns = self(blank, scale).shape[1]
        return [_columns(self.encode(text)) <= columns for text in texts]

    def _check_columns(self, texts: Sequence[str], encoded: list[list[int]], columns: int) -> None:
        for text, classes in zip(texts, encoded, strict=True):
            if _columns(classes) > columns:
                raise ModelError(
                    f"{text!r} takes {_columns(classes)} columns, and the recognizer has {columns} of such an image; "
                    "leave such texts out"
                )

    @torch.no_grad()
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Transcription]:
        """Greedy decoding: the likeliest class of each column, repeats merged, blanks dropped.

        The confidence is CTC's likelihood of the text, over all its alignments with the columns.
        """
        scores = self(images)
        classes = [self.decode(path) for path in scores.argmax(2).tolist()]
        return self.transcribe(classes, _ctc_nll(scores, classes))

    def decode(self, path: list[int]) -> list[int]:
        """Characters' classes of one class a column."""
        return [now for before, now in zip([BLANK, *path], path, strict=False) if now not in (before, BLANK)]


class AttnRecognizer(ClassRecognizer):
    """A recognizer with an attention decoder, which predicts the characters and the text's end [s] one by one."""

    FIRST = max(GO, END) + 1
    network: StrNet

    def forward(
        self, images: Float[Tensor, "b 3 h w"], targets: Int[Tensor, "b n"], scale: float = 1.0
    ) -> Float[Tensor, "b n k"]:
        """Class scores at each step, given the targets of those before it."""
        return self.network(self.lines(images, scale), F.pad(targets[:, :-1], (1, 0), value=GO))

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """Cross entropy of the characters and [s], each given the true ones before it; nats, mean over them.

        Raises:
            ModelError: a text has a character that the recognizer does not know, or is not `alignable`.
        """
        targets = self.targets(texts).to(images.device, non_blocking=True)
        return _attention_nll(self(images, targets, scale), targets) / (targets != GO).sum(1)

    def alignable(self, texts: Sequence[str], height: int, width: int, scale: float = 1.0) -> list[bool]:
        """Whether `read` could give each text, whatever the image's size."""
        return [len(text) <= LONGEST for text in texts]

    @torch.no_grad()
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Transcription]:
        """Greedy decoding: the likeliest class of each step, given those before it, up to [s].

        The confidence is the product of the probabilities of the characters and of [s].
        """
        scores = self.network.greedy(self.lines(images), LONGEST + 1)
        targets = scores.argmax(2)
        targets[:, LONGEST:] = END
        ends = targets == END
        targets.masked_fill_(ends.cumsum(1) > ends, GO)
        steps = cast("list[list[int]]", targets.tolist())  # pyright: ignore[reportUnknownMemberType]
        return self.transcribe(list(map(self.decode, steps)), _attention_nll(scores, targets))

    def targets(self, texts: list[str]) -> Int[Tensor, "b n"]:
        """Classes of each text's characters, then [s]; shorter texts are filled with [GO].

        Raises:
            ModelError: a character is unknown, or a text has more than LONGEST.
        """
        if long := [text for text in texts if len(text) > LONGEST]:
            raise ModelError(f"{long[0]!r} has more than {LONGEST} characters; leave such texts out")
        return pad_sequence([torch.tensor([*self.encode(text), END]) for text in texts], True, GO)

    def decode(self, steps: list[int]) -> list[int]:
        """Characters' classes of one class a step, of which one is [s]."""
        return [index for index in steps[: steps.index(END)] if index != GO]


def _ctc_nll(scores: Float[Tensor, "b t k"], encoded: list[list[int]]) -> Float[Tensor, " b"]:
    """Negative log likelihood of each text, given as classes, nats."""
    # A GPU works on meanwhile: CTC asks for lengths on the CPU, and a copy that blocks waits for all before it.
    lengths = torch.tensor([len(classes) for classes in encoded])
    columns = torch.full_like(lengths, scores.shape[1])
    targets = torch.tensor([*chain(*encoded)], dtype=torch.long).to(scores.device, non_blocking=True)
    # float32: a sum over hundreds of steps of log probabilities.
    logs = scores.float().log_softmax(2).transpose(0, 1)
    return F.ctc_loss(logs, targets, columns, lengths, blank=BLANK, reduction="none")


def _attention_nll(scores: Float[Tensor, "b n k"], targets: Int[Tensor, "b n"]) -> Float[Tensor, " b"]:
    """Negative log likelihood of each text and its [s], nats; [GO] fills shorter ones."""
    return F.cross_entropy(scores.float().transpose(1, 2), targets, ignore_index=GO, reduction="none").sum(1)


def _columns(classes: list[int]) -> int:
    """Fewest steps that CTC spells them in: equal neighbors have a blank between them."""
    return len(classes) + sum(before == after for before, after in pairwise(classes))


def line(images: Float[Tensor, "b 3 h w"], height: int, width: int | None = None) -> Float[Tensor, "b 1 h2 w2"]:
    """RGB from 0 to 1 -> grey (ITU-R 601) from -1 to 1, scaled to `height`, the aspect ratio kept or `width` given."""
    red, green, blue = images.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)
    size = height, width or max(8, round(grey.shape[3] * height / grey.shape[2]))
    if grey.shape[2:] != size:
        grey = F.interpolate(grey, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    return (grey - 0.5) / 0.5
