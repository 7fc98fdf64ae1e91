"""Whole sweeps against recognizers that a user brings."""

from pathlib import Path

import formula
import pytest
from commands import completed
from PIL import Image
from sweeps import KINDS, SMOKE, kinds

from datagen import shards
from sweep import run_log
from sweep.results import points

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_recognizer_that_reads_no_image_teaches_none(copied: Path) -> None:
    formula.checkpoint(copied / "blind.pth", "none-rcnn-bilstm-attn", 38)
    blind = ("--recognizer", "none-rcnn-bilstm-attn", "--recognizer-weights", "blind.pth")
    code, _, complained = completed(copied, "sweep.run", *SMOKE, *blind, "--out", "blind/run")
    assert (code, "Traceback" in complained) == (2, False)
    assert "reads no training image" in complained
    log = (copied / "blind" / "run" / run_log.NAME).read_text()
    assert log.count("Traceback") == 1
    assert "reads no training image" in log


def test_a_sweep_against_a_users_checkpoint_draws_what_it_knows(copied: Path) -> None:
    formula.checkpoint(copied / "reader.pth", "none-rcnn-bilstm-attn", 38)
    reader = ("--recognizer-weights", "reader.pth")
    # One that has learned nothing knows its own readings alone.
    start = (*SMOKE, "--recognizer", "none-rcnn-bilstm-attn", *reader, "--labels", "pseudo", "--out", "attention/run")
    code, _, complained = completed(copied, "sweep.run", *start)
    assert code == 0, complained
    assert kinds(points.read(copied / "attention" / "run")) == KINDS
    [data] = (copied / "attention" / "data").iterdir()
    assert shards.read(data, "train", ("text",))["text"].str.contains("^[0-9A-Za-z]+$").all()
    assert completed(copied, "sweep.pick", "attention/run", "--max-bpp", "24", "--out", "attention.pt")[0] == 0
    Image.new("RGB", (256, 64), "white").save(copied / "page.png")
    model = ("--model", "attention.pt")
    assert completed(copied, "models", "compress", "page.png", "page.tfic", *model)[0] == 0
    assert completed(copied, "models", "read", "page.tfic", *model, *reader)[0] == 0
    code, _, complained = completed(copied, "models", "read", "page.tfic", *model)
    assert (code, "--recognizer-weights" in complained) == (2, True)
