"""Many files at once: which they are, and that results go to standard output, whatever the bar stands on."""

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from commands import call

from models.errors import FormatError, ModelError
from models.files import jobs
from models.files.jobs import Job


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """What shows on it is read from its first end."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def many(output: int, errors: int) -> str | None:
    environment = os.environ | {"TERM": "xterm"}
    return subprocess.run(
        call("run_jobs.py"), stdout=output, stderr=errors, env=environment, text=True, check=True
    ).stdout


def test_results_leave_the_terminal_of_the_bar_alone(terminal: tuple[int, int]) -> None:
    assert many(subprocess.PIPE, terminal[1]) == "result a\nresult b\n"
    shown = os.read(terminal[0], 1 << 16)
    assert b"2/2" in shown
    assert b"result" not in shown


def test_on_one_terminal_results_stand_above_the_bar(terminal: tuple[int, int]) -> None:
    many(terminal[1], terminal[1])
    shown = os.read(terminal[0], 1 << 16)
    assert b"result a\r\n" in shown
    assert b"result b\r\n" in shown


def test_a_file_that_asks_for_too_much_memory_stops_no_other(capsys) -> None:
    def work(job: Job) -> str:
        if job.source.name == "a":
            raise MemoryError
        if job.source.name == "b":
            raise RuntimeError("[alloc_cpu.cpp:121] can't allocate memory\nException raised from")
        return job.source.name

    with pytest.raises(ModelError, match="2 of 3 files failed"):
        jobs.run([Job(Path(name)) for name in "abc"], work)
    said = capsys.readouterr()
    assert said.out == "c\n"
    lines = [line for line in said.err.splitlines() if line.startswith("failed: ")]
    assert [line.split(";")[0] for line in lines] == [
        "failed: a (MemoryError)",
        "failed: b ([alloc_cpu.cpp:121] can't allocate memory)",
    ]
    assert "Exception raised from" not in said.err


def test_each_failure_names_its_file_once(capsys) -> None:
    def work(job: Job) -> str:
        raise ModelError("the file is damaged" if job.source.name == "a" else f"{job.source} has 2 pages")

    with pytest.raises(ModelError, match="2 of 2 files failed"):
        jobs.run([Job(Path(name)) for name in "ab"], work)
    assert "failed: a: the file is damaged\nfailed: b has 2 pages\n" in capsys.readouterr().err


def test_memory_that_one_file_alone_takes_is_a_line() -> None:
    def work(job: Job) -> str:
        return str(bytearray(1 << 60)) if job.source.name == "a" else str(torch.empty(1 << 60))

    for name in "ab":
        with pytest.raises(ModelError, match=f"{name} takes more memory than there is; cut it up"):
            jobs.run([Job(Path(name))], work)


@pytest.mark.parametrize("error", [ValueError, OSError, KeyError, ZeroDivisionError])
def test_an_error_in_one_file_stops_no_other(error: type[Exception], capsys) -> None:
    def work(job: Job) -> str:
        if job.source.name == "a":
            raise error("strange")
        return job.source.name

    with pytest.raises(ModelError, match="1 of 2 files failed"):
        jobs.run([Job(Path(name)) for name in "ab"], work)
    assert capsys.readouterr().out == "b\n"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for name in ("a.tfic", "a.png", "deep/b.tfic"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_pattern_takes_of_its_files_what_a_folder_would(packed: Path) -> None:
    assert jobs.find(f"{packed}/*", "out", (".tfic",), ".png") == [Job(packed / "a.tfic", Path("out/a.png"))]
    assert jobs.sources(f"{packed}/**/*", (".tfic",)) == jobs.sources(str(packed), (".tfic",))
    with pytest.raises(
        FormatError, match=r"\*\.png names no file with an ending that is read here; give a file itself"
    ):
        jobs.sources(f"{packed}/*.png", (".tfic",))


def test_hidden_files_are_left_out(packed: Path) -> None:
    (packed / ".trash").mkdir()
    for name in ("._a.tfic", ".trash/c.tfic"):
        (packed / name).touch()
    for source in (packed, f"{packed}/**/*"):
        assert jobs.sources(str(source), (".tfic",)) == [packed / "a.tfic", packed / "deep/b.tfic"]


def test_files_that_are_only_read_need_no_names_of_their_own(packed: Path) -> None:
    (packed / "a.TFIC").touch()
    assert len(jobs.sources(f"{packed}/*", (".tfic",))) == 2
    with pytest.raises(FormatError, match="2 files would become"):
        jobs.find(f"{packed}/*", "out", (".tfic",), ".png")


@pytest.mark.parametrize(("first", "second"), [("Scan.png", "scan.jpg"), ("é.png", "e\u0301.jpg")])
def test_names_that_some_disks_take_for_one_file_are_never_written_twice(
    first: str, second: str, tmp_path: Path
) -> None:
    for name in (first, second):
        (tmp_path / name).touch()
    with pytest.raises(FormatError, match=r"2 files would become .*tfic, .*tfic; give them other names"):
        jobs.find(str(tmp_path), "out", (".png", ".jpg"), ".tfic")


def test_a_slash_says_folder_whether_it_is_there_or_not(packed: Path) -> None:
    [job] = jobs.find(f"{packed}/a.png", f"{packed}/new/", (".png",), ".tfic")
    assert job.target == packed / "new" / "a.tfic"
    [job] = jobs.find(f"{packed}/a.png", f"{packed}/new", (".png",), ".tfic")
    assert job.target == packed / "new"


def test_folders_and_hidden_files_are_no_images(packed: Path) -> None:
    (packed / "dir.png").mkdir()
    (packed / ".hidden").mkdir()
    for name in ("._a.png", ".hidden/b.png", "dir.png/c.png"):
        (packed / name).touch()
    found = [packed / "a.png", packed / "dir.png" / "c.png"]
    assert jobs.sources(str(packed), (".png",)) == found
    assert jobs.sources(f"{packed}/**/*", (".png",)) == found
    assert jobs.sources(f"{packed}/.hidden/*", (".png",)) == [packed / ".hidden" / "b.png"]


def test_a_pattern_that_cannot_be_read_says_how_to_write_it(packed: Path) -> None:
    with pytest.raises(FormatError, match=r"\*\*\.tfic is no pattern: .* write '\*\*/\*\.tfic'"):
        jobs.sources(f"{packed}/**.tfic", (".tfic",))


def test_places_that_cannot_be_looked_at_are_named(packed: Path) -> None:
    """As those in a folder that is closed to the user, which no folder is to root."""
    for source, target, said in (
        ("x" * 300, "out", r"x+ cannot be read \(File name too long\)"),
        (f"{packed}/a.tfic", "x" * 300, r"x+ cannot be written \(File name too long\)"),
    ):
        with pytest.raises(FormatError, match=said):
            jobs.find(source, target, (".tfic",), ".png")
