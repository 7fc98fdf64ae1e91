"""Memory is asked for only where it is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from commands import call

from models.codecs import registry as codecs
from models.errors import FormatError
from models.files import memory, tfic
from models.files.framing import Head, TficFile
from models.files.model import Size, TrainedCodec


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak is told by Linux")
@pytest.mark.parametrize("name", ["small", "mbt2018-mean"])
def test_an_image_takes_the_memory_that_is_asked_for(name: str) -> None:
    run = subprocess.run(call("codec_memory.py", name), capture_output=True, text=True, check=True)
    most = max(map(int, run.stdout.split()))
    assert 0.5 < most / (codecs.BYTES_PER_PIXEL[name] * 768 * 768) < 1


def test_every_codec_says_what_it_takes() -> None:
    assert codecs.BYTES_PER_PIXEL.keys() == codecs.CODECS.keys()


def test_a_few_bytes_that_claim_a_large_image_are_refused(trained: TrainedCodec) -> None:
    data = TficFile(trained.fingerprint[:2], Head(Size(13_000, 13_000)), b"12345678").pack()
    assert len(data) == 15
    with pytest.raises(FormatError, match="13000x13000 pixels, for which its 8 bytes are too few: at least"):
        tfic.decode(trained, data)


def test_an_image_that_is_too_large_for_the_memory_is_refused(trained: TrainedCodec, monkeypatch) -> None:
    image = np.full((300, 1000), 255, np.uint8)
    data = tfic.encode(trained, image)
    monkeypatch.setattr(memory, "available", lambda: 1 << 24)
    for work in (lambda: tfic.encode(trained, image), lambda: tfic.decode(trained, data)):
        with pytest.raises(FormatError, match=r"0\.3 million pixels takes 0\.0 GiB of memory, and 0\.0 are free; cut"):
            work()
    assert tfic.decode(trained, tfic.encode(trained, image[:64, :256])).shape == (64, 256)


def group(folder: Path, limit: str, used: str, most: str, now: str, statistics: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in ((limit, most), (used, now), ("memory.stat", statistics)):
        (folder / name).write_text(value + "\n")


def test_the_groups_around_a_process_limit_it(tmp_path: Path) -> None:
    own, second = tmp_path / "own", memory.NAMES[False]
    own.write_text("0::/job/step\n")
    group(tmp_path / "job", *second, "1000", "300", "anon 5\ninactive_file 100")
    group(tmp_path / "job" / "step", *second, "max", "200", "inactive_file 0")
    group(tmp_path, *second, "5000", "1000", "anon 5")
    assert list(memory.contained(tmp_path, own)) == [800, 4000]


def test_groups_of_the_first_version_limit_it_too(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("7:cpu,cpuacct:/job\n4:memory:/job\n")
    group(tmp_path / "memory" / "job", *memory.NAMES[True], "1000", "300", "total_inactive_file 100")
    assert list(memory.contained(tmp_path, own)) == [800]


def test_without_groups_the_memory_of_the_machine_counts(tmp_path: Path) -> None:
    assert list(memory.contained(tmp_path, tmp_path / "none")) == []
    assert 0 < memory.available() <= psutil.virtual_memory().total
