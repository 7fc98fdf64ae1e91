"""A model card says what it has to, and replaces nobody's file."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import shipped
from models.recognizers.ensemble import RecognizerConfig
from models.recognizers.plugins import Plugin
from models.weights import WeightsFile
from sweep.errors import SweepError
from sweep.results import card, card_sections, choosing, export, intervals, points
from sweep.results.folder import RunFolder


def of(run: RunFolder, point_id: str, file: str = "model.pt") -> str:
    frame = points.read(run.path)
    point = choosing.named(frame, point_id)
    return card.of_point(run, frame, intervals.by_id(run), point, export.trained(run, point), Path(file))


def row(text: str, what: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {what}")]
    return line.strip("| ").split(" | ")[1:]


def test_a_card_has_test_figures_with_intervals_beside_the_uncompressed_images(finished_run: RunFolder) -> None:
    text = of(finished_run, "7f1d3")
    bounds = intervals.by_id(finished_run)["7f1d3"]
    own = f"0.700 ({bounds['accuracy_low']:.3f} to {bounds['accuracy_high']:.3f})"
    mine, theirs = row(text, "accuracy of english_g2")
    assert (mine, theirs[:5]) == (own, "0.950")
    assert row(text, "bits per pixel")[0].startswith("0.1000 (0.09")
    assert row(text, "accuracy of tesseract, held out") == ["0.500", "0.750"]
    assert row(text, "PSNR")[0] == "20.10"
    assert "12 test images" in text
    assert "chosen on validation images, where it takes 0.1010 bpp and reads 0.710" in text
    assert "at this rate, whole files: classical-1, accuracy 0.500 at 0.1000 bpp" in text
    assert "(text-english_g2): accuracy 0.950 at 0.00" in text
    assert "at this rate, less the bytes that all files repeat: classical-1, accuracy 0.500 at 0.0900 bpp" in text


def test_a_card_says_how_the_model_was_made_and_is_used(finished_run: RunFolder) -> None:
    text = of(finished_run, "7f1d3", "my model.pt")
    assert row(text, "data set") == [f"`{finished_run.config.data.digest()}`, rendered"]
    assert (row(text, "λ"), row(text, "β"), row(text, "codec")) == (["0.04"], ["0.001"], ["small"])
    assert row(text, "started from") == ["fresh weights"]
    assert row(text, "recognizers that taught") == ["english_g2"]
    for command in ("compress photo.png photo.tfic", "decompress photo.tfic restored.png", "read photo.tfic"):
        assert f"python -m models {command} --model 'my model.pt'" in text
    assert "may alter glyphs" in text
    assert "256x64 pixels" in text


def test_a_card_of_a_base_point_names_no_teacher(finished_run: RunFolder) -> None:
    text = of(finished_run, "base-0")
    assert row(text, "recognizers that taught") == ["none"]
    assert "may alter glyphs" not in text
    assert "No held-out reader" in text


def test_a_card_of_a_base_point_that_started_from_a_dial_does_not_call_it_untaught(finished_run: RunFolder) -> None:
    config = replace(finished_run.config, init=WeightsFile.of(shipped.DIAL))
    text = of(replace(finished_run, config=config), "base-0")
    assert row(text, "started from") == ["the dial that comes along"]
    assert row(text, "recognizers that taught") == ["none since it started"]
    assert "may alter glyphs" in text


def test_the_commands_name_a_users_own_recognizer(finished_run: RunFolder) -> None:
    theirs = RecognizerConfig("mine:load", source=Plugin(folder=".", sha256="0" * 64))
    own = replace(finished_run.config, recognizers=(theirs,))
    assert "--model model.pt --recognizer mine:load\n" in card_sections.use(own, Path("model.pt"))


def test_a_card_replaces_a_card_and_nothing_else(tmp_path: Path) -> None:
    model = tmp_path / "readme.pt"
    for _ in range(2):
        card.write(f"{card_sections.MARK}\n", card.place(model))
    (tmp_path / "readme.md").write_text("mine")
    with pytest.raises(SweepError, match=r"readme\.md exists and is no model card"):
        card.place(model)
    with pytest.raises(SweepError, match="give another --out"):
        card.place(tmp_path / "readme.md")
    with pytest.raises(SweepError, match=r"is a folder; give --out a file in it, such as .*model\.pt"):
        card.place(tmp_path)
    with pytest.raises(SweepError, match="cannot be written"):
        card.write("", tmp_path / "none" / "model.md")
