"""A user's own network as a recognizer: what it must offer, where it is imported from, what tells its weights apart."""

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models import sources
from models.errors import ModelError, WeightsError
from models.fingerprint import fingerprint
from models.recognizers.base import FrozenRecognizer, Transcription

Result = TypeVar("Result")


@runtime_checkable
class Recognizer(Protocol):
    """What a user's function returns: a torch.nn.Module with these two methods.

    Two more are used where it has them. `readable`, a string, holds every character that a text may have; without it,
    any. `as_read(text)` gives the text without the differences that it cannot tell, such as capitals; without it, the
    text itself.
    """

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str]) -> Float[Tensor, " b"]:
        """Negative log likelihood of each text, nats per character; gradients reach the images.

        Pixels are float32 from 0 to 1.
        """
        ...

    def read(self, images: Float[Tensor, "b 3 h w"]) -> Sequence[str | Transcription]:
        """The text of each image, alone or with its confidence."""
        ...


@dataclass(frozen=True, slots=True)
class Plugin:
    """A user's network; equal wherever its module lies, if it gives the same weights and computes the same."""

    folder: str = field(compare=False)
    """Folder that the module is imported from if it is not found otherwise, as in a Ray worker's directory."""
    sha256: str
    """Checksum of the network's tensors and their names."""
    code: str | None = None
    """Checksum of the module's sources and of what they import from beside it; None in runs from before it was kept."""

    @classmethod
    def of(cls, name: str) -> "Plugin":
        """The network of `module:function` as it is now, once it has read and scored an image.

        Raises:
            ModelError: the module, the function or the protocol is missing, or fails.
        """
        network = _network(name)
        _try(name, PluggedRecognizer(network).user)
        return cls(_folder(name), _sha256(network), _code(name))


def load(name: str, plugin: Plugin) -> "PluggedRecognizer":
    """The recognizer that `module:function` gives.

    Raises:
        ModelError: as `Plugin.of`.
        WeightsError: its weights or its sources have changed.
    """
    if plugin.folder not in sys.path:
        # Last, so that it hides nothing.
        sys.path.append(plugin.folder)
    network = _network(name)
    if _sha256(network) != plugin.sha256:
        raise WeightsError(
            f"{name} has other weights (sha256 was {plugin.sha256[:12]}…); restore them, or start another run"
        )
    if plugin.code not in (None, _code(name)):
        raise WeightsError(f"the sources of {name} have changed since; restore them, or start another run")
    return PluggedRecognizer(network)


class PluggedRecognizer(FrozenRecognizer):
    """A user's network, frozen. It reads at one size."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.train()

    @property
    def user(self) -> Recognizer:
        """The network, as it came."""
        return cast(Recognizer, self.network)

    def train(self, mode: bool = True) -> "PluggedRecognizer":
        """Keeps evaluation mode."""
        super().train(mode)
        for module in self.network.modules():
            # cuDNN passes gradients through an LSTM in training mode alone.
            if isinstance(module, nn.RNNBase) and not module.dropout:
                module.train()
        return self

    def loss(self, images: Float[Tensor, "b 3 h w"], texts: list[str], scale: float = 1.0) -> Float[Tensor, " b"]:
        """The user's loss of images in float32 from 0 to 1: it may know nothing else."""
        del scale
        with torch.autocast(images.device.type, enabled=False):
            return self.user.loss(images.float().clamp(0, 1), texts)

    @torch.no_grad()
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Transcription]:
        """The text of each image, as the user's network reads it, with a confidence where that gives one."""
        return list(map(_transcription, self.user.read(images)))

    @property
    def readable(self) -> str | None:
        """What the network says, or None."""
        return getattr(self.network, "readable", None)

    def as_read(self, text: str) -> str:
        """What the network makes of it, or the text."""
        return getattr(self.network, "as_read", str)(text)


def _transcription(said: str | Transcription) -> Transcription:
    return Transcription(said) if isinstance(said, str) else said


def _network(name: str) -> nn.Module:
    network = _attempt(_function(name), f"{name} failed")
    if not isinstance(network, nn.Module) or not isinstance(network, Recognizer):
        raise ModelError(
            f"{name} gives a {type(network).__name__}; it must give a torch.nn.Module with the methods "
            "loss(images, texts) and read(images)"
        )
    return network


def _function(name: str) -> Callable[[], object]:
    module_name, _, function_name = name.partition(":")
    importlib.invalidate_caches()
    advice = f"start where {module_name} lies, or put that on PYTHONPATH"
    module = _attempt(lambda: importlib.import_module(module_name), f"{name} cannot be imported; {advice}")
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ModelError(f"{module.__file__} has no function {function_name!r}; give --recognizer MODULE:FUNCTION")
    return function


def _folder(name: str) -> str:
    """What has to be on sys.path for the module to be imported."""
    module = name.partition(":")[0]
    return str(_file(module).parents[module.count(".") + hasattr(sys.modules[module], "__path__")])


def _file(module: str) -> Path:
    return Path(str(sys.modules[module].__file__)).absolute()


def _code(name: str) -> str:
    """Checksum of a module's sources. Of an installed package nothing beside it counts: all that is installed would."""
    module = name.partition(":")[0]
    file, root = _file(module), Path(_folder(name))
    package = root / module.partition(".")[0]
    installed = {"site-packages", "dist-packages"} & {*root.parts}
    within = root if not installed else package if package.is_dir() else file
    return sources.checksum(sources.reached(file, root, within), root)


def _try(name: str, user: Recognizer) -> None:
    """Fails now what would fail an hour later: reads and scores a grey image, twice."""
    images = torch.full((2, 3, 64, 256), 0.5)
    texts = _attempt(lambda: user.read(images), f"{name} cannot read an image of 64x256 pixels")
    # A user's code may give anything, whatever the protocol says.
    listed = isinstance(texts, list | tuple) and len(texts) == 2  # pyright: ignore[reportUnnecessaryIsInstance]
    if not listed or not all(isinstance(text, str | Transcription) for text in texts):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(f"{name}: read(images) gives {texts!r} for two images; it must give a list of two strings")
    read = [_transcription(each).text for each in texts]
    losses = _attempt(lambda: user.loss(images.requires_grad_(), read), f"{name} has no loss of {read!r}")
    if not isinstance(losses, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(f"{name}: loss(images, texts) gives a {type(losses).__name__}; it must give a tensor")
    if losses.shape != (2,) or not losses.requires_grad:
        raise ModelError(
            f"{name}: loss(images, texts) gives {tuple(losses.shape)} values for two images, "
            f"{'with' if losses.requires_grad else 'without'} gradients; it must give one an image, with gradients"
        )


def _sha256(network: nn.Module) -> str:
    return fingerprint("", network.state_dict()).hex()


def _attempt(work: Callable[[], Result], failure: str) -> Result:
    """What a user's code gives, or its error in one line, with the place where it was raised."""
    try:
        return work()
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = (str(error).splitlines() or [""])[0]
        where = f"{Path(place.filename).name} line {place.lineno}"
        raise ModelError(f"{failure} ({type(error).__name__}: {reason}, {where})") from error
