"""What run.log of a run's folder keeps, and what the terminal shows of it."""

import logging
import sys
from pathlib import Path

import pytest

from sweep import run_log
from sweep.errors import SweepError


def log(run: Path) -> str:
    return (run / run_log.NAME).read_text()


def fail(number: int) -> None:
    try:
        raise OSError(f"disk {number} is full")
    except OSError as error:
        raise SweepError("it cannot be written") from error


def test_an_error_that_ends_a_sweep_is_there_with_its_causes(tmp_path: Path) -> None:
    for number in (1, 2):
        with pytest.raises(SweepError), run_log.opened(tmp_path):
            fail(number)
    said = log(tmp_path)
    assert said.count("Traceback") == 4
    assert all(f"OSError: disk {number} is full" in said for number in (1, 2))
    assert "ERROR sweep.run_log: the sweep ends by an error" in said


@pytest.mark.parametrize("library", ["ray.tune", "mlflow.store", "alembic", "urllib3.connectionpool"])
def test_warnings_of_libraries_that_have_their_own_handlers_go_to_the_file_alone(
    library: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_log.opened(tmp_path):
        logging.getLogger(library).warning("is slow")
        logging.getLogger(library).info("is fine")
    assert f"WARNING {library}: is slow" in log(tmp_path)
    assert "is fine" not in log(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_warnings_of_ours_stay_on_the_terminal_and_information_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # As in a command, where nobody has set up logging.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    with run_log.opened(tmp_path):
        logging.getLogger("sweep.stages").warning("a file is damaged")
        logging.getLogger("sweep.stages").info("a trial failed\nTraceback")
    assert capfd.readouterr().err == "a file is damaged\n"
    assert "WARNING sweep.stages: a file is damaged" in log(tmp_path)
    assert "INFO sweep.stages: a trial failed\nTraceback" in log(tmp_path)


def test_after_a_sweep_logging_is_as_before(tmp_path: Path) -> None:
    names = (None, "ray", "mlflow", "sweep", run_log.__name__)
    states = []
    for _ in range(2):
        loggers = [logging.getLogger(name) for name in names]
        states.append([([*each.handlers], each.level, each.propagate) for each in loggers])
        with run_log.opened(tmp_path):
            pass
    assert states[0] == states[1]


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / run_log.NAME).mkdir()
    with pytest.raises(SweepError, match=r"run\.log cannot be written \(Is a directory\)"), run_log.opened(tmp_path):
        pytest.fail("the sweep has begun")
