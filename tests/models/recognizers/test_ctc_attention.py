"""Recognizers with an attention decoder, and of networks that read one size."""

import math

import formula
import pytest
import torch
import torch.nn.functional as F

from models.errors import ModelError
from models.recognizers.base import FrozenRecognizer
from models.recognizers.ctc_attention import AttnRecognizer, ClassRecognizer, CtcRecognizer, line
from models.recognizers.four_stage.checkpoints import ALPHANUMERIC, PRINTABLE
from models.recognizers.four_stage.network import COMBINATIONS, StrNet
from models.recognizers.four_stage.prediction import END, GO
from models.recognizers.plugins import Recognizer


def built(kind: type[ClassRecognizer], name: str, characters: str) -> ClassRecognizer:
    network = StrNet(COMBINATIONS[name], kind.FIRST + len(characters), 64, 32)
    formula.fill(network.state_dict())
    return kind(network, characters, 32, 100)


@pytest.fixture(scope="module")
def attention() -> AttnRecognizer:
    recognizer = built(AttnRecognizer, "tps-resnet-bilstm-attn", ALPHANUMERIC)
    assert isinstance(recognizer, AttnRecognizer)
    return recognizer


@pytest.fixture(scope="module")
def ctc() -> ClassRecognizer:
    return built(CtcRecognizer, "tps-vgg-none-ctc", PRINTABLE)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 64, 256, generator=torch.Generator().manual_seed(0))


def test_both_kinds_are_recognizers(attention: AttnRecognizer, ctc: ClassRecognizer) -> None:
    assert isinstance(attention, FrozenRecognizer)
    assert isinstance(ctc, FrozenRecognizer)
    assert isinstance(ctc, Recognizer), "a user may hand over one of ours"


def test_the_loss_is_the_published_cross_entropy_by_image(attention: AttnRecognizer, images: torch.Tensor) -> None:
    """Over texts of 25 characters filled with [GO], which the mean ignores."""
    texts = ["word", "longer1"]
    padded = F.pad(attention.targets(texts), (0, 18), value=GO)
    scores = attention(images, padded)
    published = F.cross_entropy(scores.flatten(0, 1), padded.flatten(), ignore_index=GO)
    losses = attention.loss(images, texts)
    assert torch.allclose((5 * losses[0] + 8 * losses[1]) / 13, published, atol=1e-5)


@pytest.mark.parametrize("kind", ["attention", "ctc"])
def test_the_loss_teaches_whoever_drew_the_image(kind: str, images: torch.Tensor, request) -> None:
    recognizer: ClassRecognizer = request.getfixturevalue(kind)
    before = {name: tensor.clone() for name, tensor in recognizer.train().state_dict().items()}
    images.requires_grad_()
    recognizer.loss(images, ["word", "7"], 0.5).mean().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().sum(1) > 0).all()
    assert all(parameter.grad is None for parameter in recognizer.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in recognizer.state_dict().items())


def test_bfloat16_changes_little(attention: AttnRecognizer, images: torch.Tensor) -> None:
    exact = attention.loss(images, ["word", "7"])
    with torch.autocast("cpu", torch.bfloat16):
        rough = attention.loss(images, ["word", "7"])
    assert rough.dtype == torch.float32
    assert torch.allclose(rough, exact, rtol=0.02)


def test_a_text_is_read_up_to_its_end(attention: AttnRecognizer) -> None:
    a, b = attention.encode("ab")
    assert attention.decode([a, GO, b, END, a]) == [a, b]
    assert attention.decode([END]) == []


def test_a_text_without_an_end_is_cut(
    attention: AttnRecognizer, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its confidence is that of the characters that are left, and of an end after them."""
    a, go, end = 9 * F.one_hot(torch.tensor([*attention.encode("a"), GO, END]), 38).float()
    monkeypatch.setattr(attention.network, "greedy", lambda lines, steps: torch.stack([a] * steps).expand(2, -1, -1))
    [(text, confidence), _] = attention.read(images)
    assert text == "a" * 25
    assert confidence == pytest.approx(math.exp(25 * 9) / (math.exp(9) + 37) ** 26, rel=1e-3)
    monkeypatch.setattr(attention.network, "greedy", lambda lines, steps: torch.stack([a, go, end])[None])
    assert attention.read(images[:1])[0].text == "a"


def test_reading_gives_a_text_an_image(attention: AttnRecognizer, ctc: ClassRecognizer, images: torch.Tensor) -> None:
    for recognizer in (attention, ctc):
        read = [text for text, _ in recognizer.read(images)]
        assert len(read) == 2
        assert all(len(text) <= 26 and set(text) <= set(recognizer.characters) for text in read)


@pytest.mark.parametrize(("kind", "steps"), [("attention", 1), ("ctc", 0)])
def test_the_confidence_is_the_likelihood_of_the_text(
    kind: str, steps: int, images: torch.Tensor, request: pytest.FixtureRequest
) -> None:
    """The loss of what was read tells it, per character (and [s], of attention), whatever else is in the batch."""
    recognizer: ClassRecognizer = request.getfixturevalue(kind)
    read = recognizer.read(images)
    nll = recognizer.loss(images, [text for text, _ in read])
    for said, loss, image in zip(read, nll, images, strict=True):
        assert said.confidence == pytest.approx((-loss * max(1, len(said.text) + steps)).exp().item(), rel=1e-3)
        assert recognizer.read(image[None])[0].confidence == pytest.approx(said.confidence, rel=1e-3)


def test_nothing_is_read_with_a_confidence_too(recognizer: CtcRecognizer) -> None:
    for text, confidence in recognizer.read(torch.ones(2, 3, 64, 256)):
        assert text == ""
        assert confidence is not None
        assert 0 < confidence < 1


def test_texts_are_lowered_where_capitals_are_unknown(attention: AttnRecognizer, ctc: ClassRecognizer) -> None:
    assert attention.encode("Word") == attention.encode("word")
    assert (attention.as_read("Word"), ctc.as_read("Word")) == ("word", "Word")
    assert set(attention.readable) == {*ALPHANUMERIC, *ALPHANUMERIC.upper()}
    assert ctc.readable == PRINTABLE
    assert ctc.encode("Word") != ctc.encode("word")


def test_classes_follow_their_tokens(attention: AttnRecognizer, ctc: ClassRecognizer) -> None:
    assert attention.encode("0z") == [2, 37]
    assert ctc.encode("0~") == [1, 94]
    assert attention.targets(["ab", ""]).tolist() == [[12, 13, END], [END, GO, GO]]


def test_unknown_characters_are_named(attention: AttnRecognizer, ctc: ClassRecognizer, images: torch.Tensor) -> None:
    with pytest.raises(ModelError, match="does not know '-'; leave such texts out"):
        attention.loss(images, ["two-woods", "ok"])
    with pytest.raises(ModelError, match="' €'"):
        ctc.loss(images, ["3 €", "ok"])


def test_empty_texts_have_a_loss(attention: AttnRecognizer, images: torch.Tensor) -> None:
    assert attention.loss(images, ["", "a"]).isfinite().all()


def test_lines_of_one_width_are_stretched(attention: AttnRecognizer, images: torch.Tensor) -> None:
    for image in (images, images[:, :, :32, :100], images[..., :40]):
        assert attention.lines(image, 0.75).shape == (2, 1, 32, 100)
    assert torch.equal(line(images, 64, 256), line(images, 64))


@pytest.mark.parametrize("scale", [0.75, 1.0])
def test_a_text_with_no_column_for_each_character_is_named_and_not_read_perfectly(
    recognizer: CtcRecognizer, scale: float
) -> None:
    image = torch.full((1, 3, 64, 256), 0.5)
    columns = {0.75: 47, 1.0: 63}[scale]
    short = ["ab" * (columns // 2) + "c", "a" * (columns // 2 + 1)]
    long = [short[0] + "d", short[1] + "a"]
    assert recognizer.alignable([*short, *long], 64, 256, scale) == [True, True, False, False]
    for text in short:
        assert recognizer.loss(image, [text], scale).isfinite().all()
    for text in long:
        with pytest.raises(ModelError, match=rf"takes \d+ columns, and the recognizer has {columns} of such an image"):
            recognizer.loss(image, [text], scale)


def test_attention_reads_no_more_characters_than_it_was_trained_on(attention: AttnRecognizer) -> None:
    assert attention.alignable(["a" * 25, "a" * 26], 64, 256) == [True, False]
    with pytest.raises(ModelError, match="more than 25 characters"):
        attention.targets(["a" * 26])
