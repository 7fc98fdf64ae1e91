"""What is taught where images have no texts."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import reader

from models import teachers
from sweep import teaching
from sweep.legibility import Reading
from sweep.presets import smoke


def test_readings_of_one_recognizer_are_taught_as_far_as_all_know_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reader.__file__, tmp_path / "teaching_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    config = replace(smoke(), recognizers=teachers.parse(("english_g2", "teaching_reader:load")))
    found = [Reading("a-b!", 1.0), Reading("other", 0.2)]
    assert teaching.labels(["", "kept"], found, config) == ["ab", "kept"]
