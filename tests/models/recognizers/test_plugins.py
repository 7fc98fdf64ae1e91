"""A user's own module as recognizer: found, checked, frozen, and told apart by its weights."""

import shutil
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
import ray
import reader as example
import torch
from torch import nn

from models.errors import ModelError, WeightsError
from models.recognizers import ensemble, plugins
from models.recognizers import registry as recognizers
from models.recognizers.base import Transcription
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.plugins import PluggedRecognizer, Plugin


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module that lies in tmp_path, which is on sys.path."""
    name = f"reader_{uuid.uuid4().hex}"
    shutil.copy(example.__file__, tmp_path / f"{name}.py")
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def recognizer(module: str) -> PluggedRecognizer:
    return plugins.load(f"{module}:load", Plugin.of(f"{module}:load"))


def test_a_plugin_teaches_and_reads(recognizer: PluggedRecognizer) -> None:
    images = torch.rand(2, 3, 64, 256, requires_grad=True)
    losses = recognizer.loss(images, ["Word", "7"], 0.5)
    losses.mean().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()
    assert all(parameter.grad is None for parameter in recognizer.parameters())
    assert [confidence for _, confidence in recognizer.read(torch.rand(3, 3, 64, 256))] == [None] * 3


def test_a_confidence_that_a_plugin_gives_is_kept(
    recognizer: PluggedRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Transcription("word", 0.5)] * 2
    monkeypatch.setattr(recognizer.network, "read", lambda images: said)
    plugins._try("confident", recognizer.user)
    assert recognizer.read(torch.rand(2, 3, 64, 256)) == said


def test_a_plugin_stays_frozen_and_ready_for_a_gpu(recognizer: PluggedRecognizer) -> None:
    training = {type(module) for module in recognizer.train().modules() if module.training}
    assert training == {nn.LSTM}
    assert not any(parameter.requires_grad for parameter in recognizer.parameters())


def test_a_plugins_loss_is_computed_in_float32(recognizer: PluggedRecognizer) -> None:
    images = torch.rand(2, 3, 64, 256)
    with torch.autocast("cpu", torch.bfloat16):
        rough = recognizer.loss(images.bfloat16(), ["word", "7"])
    assert rough.dtype == torch.float32
    assert torch.allclose(rough, recognizer.loss(images.bfloat16().float(), ["word", "7"]))


def test_a_plugins_loss_sees_pixels_from_0_to_1_whatever_a_codec_gives(recognizer: PluggedRecognizer) -> None:
    images = 3 * torch.rand(2, 3, 64, 256) - 1
    assert torch.equal(recognizer.loss(images, ["word", "7"]), recognizer.loss(images.clamp(0, 1), ["word", "7"]))


def test_the_characters_that_a_plugin_names_are_used(recognizer: PluggedRecognizer) -> None:
    assert recognizer.as_read("Word") == "word"
    assert recognizer.known("two-words") == "twowords"
    with pytest.raises(ModelError, match="does not know '-'"):
        recognizer.check(["two-words"])


def test_without_a_word_it_knows_every_character(module: str) -> None:
    recognizer = recognizers.load(f"{module}:bare", Plugin.of(f"{module}:bare"))
    assert recognizer.readable is None
    assert recognizer.as_read("Word") == recognizer.known("Word") == "Word"
    recognizer.check(["wörd"])


def test_a_plugins_identity_follows_its_weights(module: str, tmp_path: Path) -> None:
    name = f"{module}:load"
    before = Plugin.of(name)
    assert Plugin.of(name) == before
    state = example.load().state_dict()
    state["scores.bias"][0] += 1
    torch.save(state, tmp_path / f"{module}.pt")
    after = Plugin.of(name)
    assert recognizers.identity(name, after) != recognizers.identity(name, before)
    with pytest.raises(WeightsError, match=rf"{name} has other weights \(sha256 was {before.sha256[:12]}"):
        plugins.load(name, before)


def test_a_plugins_identity_follows_its_code_and_modules_imported_from_beside_it(module: str, tmp_path: Path) -> None:
    name, file = f"{module}:load", tmp_path / f"{module}.py"
    helper = f"helper_{module}"
    for beside, text in ((helper, "HALF = 0.5\n"), ("stranger", "A = 1\n")):
        (tmp_path / f"{beside}.py").write_text(text)
    file.write_text(f"from {helper} import HALF\n{file.read_text()}")
    before = Plugin.of(name)
    file.write_text(f"# A remark.\n{file.read_text()}")
    (tmp_path / "stranger.py").write_text("A = 2\n")
    assert Plugin.of(name) == before
    (tmp_path / f"{helper}.py").write_text("HALF = 0.25\n")
    after = Plugin.of(name)
    assert after.sha256 == before.sha256
    assert recognizers.identity(name, after) != recognizers.identity(name, before)
    with pytest.raises(WeightsError, match=f"the sources of {name} have changed"):
        plugins.load(name, before)
    assert isinstance(plugins.load(name, replace(before, code=None)), PluggedRecognizer)


def test_a_model_is_read_by_the_same_weights_whatever_became_of_their_code(module: str) -> None:
    name = f"{module}:load"
    plugin = Plugin.of(name)
    for code in (None, "0" * 64, plugin.code):
        wanted = recognizers.identity(name, replace(plugin, code=code))
        assert isinstance(recognizers.load_identified(wanted, own=name), PluggedRecognizer)
    with pytest.raises(WeightsError, match="sha256"):
        recognizers.load_identified(recognizers.identity(name, replace(plugin, sha256="0" * 64)), own=name)


def test_of_an_installed_package_nothing_beside_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "site-packages"
    package, other = (place / f"{name}_{uuid.uuid4().hex}" for name in ("ocr", "torch"))
    for folder in (package, other):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (package / "net.py").write_text(f"from {other.name} import x\n")
    (other / "x.py").touch()
    shutil.copy(example.__file__, package / "__init__.py")
    with (package / "__init__.py").open("a") as file:
        file.write("\n\ndef late():\n    from . import net\n")
    monkeypatch.syspath_prepend(place)
    before = Plugin.of(f"{package.name}:load")
    (other / "__init__.py").write_text("A = 1\n")
    assert Plugin.of(f"{package.name}:load") == before
    (package / "net.py").write_text("A = 1\n")
    assert Plugin.of(f"{package.name}:load") != before


def test_a_plugin_is_the_same_wherever_its_module_lies(module: str) -> None:
    plugin = Plugin.of(f"{module}:load")
    assert replace(plugin, folder="elsewhere") == plugin


def test_a_module_is_found_again_where_it_was(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Plugin.of(f"{module}:load")
    assert plugin.folder == str(tmp_path)
    monkeypatch.setattr("sys.path", [place for place in sys.path if place != str(tmp_path)])
    monkeypatch.delitem(sys.modules, module)
    assert isinstance(plugins.load(f"{module}:load", plugin), PluggedRecognizer)
    assert sys.path[-1] == str(tmp_path)


def test_a_module_may_lie_in_a_package(module: str, tmp_path: Path) -> None:
    package = tmp_path / f"package_{module}"
    package.mkdir()
    (tmp_path / f"{module}.py").rename(package / "ocr.py")
    (package / "__init__.py").touch()
    assert Plugin.of(f"{package.name}.ocr:load").folder == str(tmp_path)


@pytest.mark.slow
def test_ray_workers_load_it_in_their_own_folder(module: str, local_ray: None) -> None:
    recognizer_config = RecognizerConfig(f"{module}:load", 1.0, Plugin.of(f"{module}:load"))
    read = ray.remote(lambda: ensemble.load([recognizer_config]).read(torch.full((1, 3, 64, 256), 0.3)))
    assert [text for text, _ in ray.get(read.remote())] == example.load().read(torch.full((1, 3, 64, 256), 0.3))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("nosuch", r"\.py has no function 'nosuch'"),
        ("CHARACTERS", r"\.py has no function 'CHARACTERS'"),
        ("number", r"gives a int; it must give a torch\.nn\.Module with the methods loss\(images, texts\) and read"),
        ("failing", r"failed \(FileNotFoundError: weights\.pt is not \[here\], reader_\w+\.py line \d+\)"),
        ("averaging", r"gives \(\) values for two images, with gradients; it must give one an image"),
        ("detached", r"gives \(2,\) values for two images, without gradients"),
        ("silent", "gives '' for two images; it must give a list of two strings"),
        ("unready", r"cannot read an image of 64x256 pixels \(IndexError: .*line \d+\)"),
    ],
)
def test_a_part_that_a_plugin_lacks_is_named_in_one_line(module: str, function: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as refused:
        Plugin.of(f"{module}:{function}")
    assert f"{module}" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("read = lambda images: None", r"read\(images\) gives None for two images"),
        ("loss = lambda images, texts: None", r"loss\(images, texts\) gives a NoneType; it must give a tensor"),
        ("loss = lambda images, texts: 0.5", r"loss\(images, texts\) gives a float; it must give a tensor"),
    ],
)
def test_a_method_that_gives_nothing_usable_is_named(module: str, method: str, said: str, tmp_path: Path) -> None:
    with (tmp_path / f"{module}.py").open("a") as file:
        file.write(f"\n\ndef other():\n    reader = load()\n    reader.{method}\n    return reader\n")
    with pytest.raises(ModelError, match=said):
        Plugin.of(f"{module}:other")


def test_a_missing_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"nosuch_module:load cannot be imported; .* PYTHONPATH \(ModuleNotFoundError"):
        Plugin.of("nosuch_module:load")
    (tmp_path / "broken_module.py").write_text("x = (\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r"broken_module:load cannot be imported; .*\(SyntaxError"):
        Plugin.of("broken_module:load")
