"""What a pool teaches where images have no texts."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import reader

from models import teachers
from sweep.legibility import Reading
from sweep.presets import smoke
from sweep.tuner import Pool


def test_readings_of_one_recognizer_are_taught_as_far_as_all_know_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reader.__file__, tmp_path / "tuner_reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    pool = object.__new__(Pool)
    pool._config = replace(smoke(), recognizers=teachers.parse(("english_g2", "tuner_reader:load")))
    found = [Reading("a-b!", 1.0), Reading("other", 0.2)]
    assert pool._labels(["", "kept"], found) == ["ab", "kept"]
