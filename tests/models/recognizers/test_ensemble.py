"""Several recognizers as one."""

import shutil
import string
from pathlib import Path

import formula
import pytest
import reader as example
import torch
from torch import nn

from models.errors import ModelError
from models.recognizers import ensemble
from models.recognizers import registry as recognizers
from models.recognizers.ctc_attention import CtcRecognizer
from models.recognizers.ensemble import Ensemble, RecognizerConfig
from models.recognizers.plugins import PluggedRecognizer, Plugin
from models.weights import WeightsFile

IMAGES = torch.rand(2, 3, 64, 256, generator=torch.Generator().manual_seed(0))
FIRST = RecognizerConfig("english_g2")


@pytest.fixture
def both(recognizer: CtcRecognizer) -> Ensemble:
    return Ensemble({"english_g2": recognizer, "mine.load": PluggedRecognizer(example.load())}, [0.75, 0.25])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "ctc.pth"
    formula.checkpoint(path, "none-rcnn-none-ctc", 37)
    return path


def test_each_batch_has_the_loss_of_one_as_often_as_the_shares_say(both: Ensemble, recognizer: CtcRecognizer) -> None:
    texts = ["Word", "7"]
    torch.manual_seed(0)
    first, other = recognizer.loss(IMAGES, texts, 0.5), both.others["mine.load"].loss(IMAGES, texts)
    assert not torch.allclose(first, other)
    found = [both.loss(IMAGES, texts, 0.5) for _ in range(200)]
    of_first = sum(torch.allclose(losses, first) for losses in found)
    assert of_first + sum(torch.allclose(losses, other) for losses in found) == 200
    assert 130 <= of_first <= 170, "three standard deviations around 150"


def test_the_turn_follows_from_the_seed(both: Ensemble) -> None:
    def drawn() -> list[float]:
        torch.manual_seed(3)
        return [both.loss(IMAGES, ["Word", "7"])[0].item() for _ in range(12)]

    assert drawn() == drawn()


def test_the_first_one_reads(both: Ensemble, recognizer: CtcRecognizer) -> None:
    assert both.read(IMAGES) == recognizer.read(IMAGES)
    assert both.as_read("Word") == "Word"
    assert list(both.others) == ["mine.load"]
    assert not recognizer.others


def test_texts_may_have_what_all_know(both: Ensemble) -> None:
    assert both.readable is not None
    assert set(both.readable) == {*string.digits, *string.ascii_letters}
    with pytest.raises(ModelError, match="does not know '!'"):
        both.check(["fine", "not!"])


def test_texts_may_be_as_long_as_all_can_read(recognizer: CtcRecognizer) -> None:
    narrow = CtcRecognizer(recognizer.network, recognizer.characters, 64, 100)
    both = Ensemble({"wide": recognizer, "narrow": narrow}, [0.5, 0.5])
    assert both.alignable(["a" * 12, "a" * 13, "ab" * 24], 64, 256) == [True, False, False]


def test_all_move_and_stay_frozen_together(both: Ensemble) -> None:
    assert not any(parameter.requires_grad for parameter in both.parameters())
    assert {type(module) for module in both.train().modules() if module.training} == {nn.LSTM}


def test_an_ensemble_of_one_is_that_recognizer() -> None:
    assert isinstance(ensemble.load([FIRST]), CtcRecognizer)
    assert ensemble.identity([FIRST]) == "english_g2"
    assert ensemble.identity([RecognizerConfig("english_g2", 3.0)]) == "english_g2"


def test_an_identity_has_names_checksums_and_shares(file: Path) -> None:
    source = WeightsFile.of(file)
    wanted = [FIRST, RecognizerConfig("none-rcnn-none-ctc", 3.0, source)]
    said = ensemble.identity(wanted)
    assert said == f"english_g2=0.25|none-rcnn-none-ctc@{source.sha256[:16]}=0.75"
    assert ensemble.identity([RecognizerConfig(one.name, 2 * one.weight, one.source) for one in wanted]) == said
    assert ensemble.identity(wanted[::-1]) != said
    assert ensemble.reading(said) == ensemble.reading("english_g2") == "english_g2"


def test_a_command_line_gives_names_weights_and_files(file: Path) -> None:
    found = ensemble.parse(["none-rcnn-none-ctc=2", "english_g2=0.5"], [file])
    assert found == (
        RecognizerConfig("none-rcnn-none-ctc", 2.0, WeightsFile.of(file)),
        RecognizerConfig("english_g2", 0.5),
    )
    assert isinstance(ensemble.load(found), Ensemble)


def test_a_users_module_is_imported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(example.__file__, tmp_path / "parsed_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    [recognizer_config] = ensemble.parse(["parsed_reader:load=2"])
    assert (recognizer_config.name, recognizer_config.weight, recognizer_config.label) == (
        "parsed_reader:load",
        2.0,
        "parsed_reader.load",
    )
    assert recognizer_config.source == Plugin.of("parsed_reader:load")


@pytest.mark.parametrize(
    ("wanted", "files", "said"),
    [
        ([], 0, "at least one"),
        (["english_g2", "ENGLISH_G2=2"], 0, "each once"),
        (["english_g2=much"], 0, "'much' is no number; write a weight as in english_g2=0.5"),
        (["english_g2=0"], 0, "must be a number above 0"),
        (["english_g2=-1"], 0, "must be a number above 0"),
        (["english_g2=inf"], 0, "must be a number above 0"),
        (["english_g2=nan"], 0, "must be a number above 0"),
        (["english_g2"], 1, "leave --recognizer-weights out"),
        (["none-rcnn-none-ctc"], 0, "give --recognizer-weights"),
        (["none-rcnn-none-ctc", "trba"], 1, "tps-resnet-bilstm-attn comes without weights"),
        (["nosuch"], 0, "no recognizer is called 'nosuch'"),
    ],
)
def test_wrong_command_lines_are_refused(wanted: list[str], files: int, said: str, file: Path) -> None:
    with pytest.raises(ModelError, match=said):
        ensemble.parse(wanted, [file] * files)


def test_a_models_file_does_not_choose_what_is_imported() -> None:
    with pytest.raises(ModelError, match="was trained against os:getcwd; give --recognizer os:getcwd to import"):
        recognizers.load_identified("os:getcwd@0123456789abcdef")
